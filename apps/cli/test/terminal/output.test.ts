// Tests output files: a file is complete or absent, and never replaces an important file.
import { spawnSync } from 'node:child_process'
import { linkSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampled } from '../../../../test/tier.js'
import { requestIdOf } from '../support/draft.js'
import { manyCalls, SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox, skipUnless } from '../support/sandbox.js'

const box = new Sandbox()
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE)
  await writeLedger(box.path('many.jsonl'), manyCalls(200))
  symlinkSync('l.sqlite', box.path('soft'))
  linkSync(box.path('l.sqlite'), box.path('hard'))
  box.makeFolder('x')
})
afterAll(() => box.remove())

describe('the ledger is never written over', () => {
  it.each(
    sampled(
      [
        ['by its name', 'l.sqlite', 'l.sqlite'],
        ['by another spelling', 'l.sqlite', './x/../l.sqlite'],
        ['through a symbolic link', 'l.sqlite', 'soft'],
        ['through a hard link', 'l.sqlite', 'hard'],
        ['when it was opened through a link', 'soft', 'l.sqlite'],
        ['nor the log beside it', 'l.sqlite', 'l.sqlite-wal'],
        ['nor the log beside it, when it was opened through a link', 'soft', 'l.sqlite-wal'],
        ['nor its lock', 'many.jsonl', 'many.jsonl.lock'],
        ['nor its head', 'many.jsonl', 'many.jsonl.head'],
        ['nor its tree', 'many.jsonl', 'many.jsonl.tree'],
      ],
      3,
    ),
  )('%s: exit 2', (_, ledger, output) => {
    const before = readFileSync(box.path('l.sqlite'))
    const files = box.files()
    for (const command of [
      ['export', ledger],
      ['filter', ledger],
      ['search', ledger, '--query', 'a'],
      ['receipt', ledger, '--request-id', requestIdOf(1)],
    ]) {
      const { code, stdout, stderr } = box.run([...command, '--output', output])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(ONE_ERROR)
    }
    expect(readFileSync(box.path('l.sqlite')).equals(before)).toBe(true)
    expect(box.files()).toEqual(files)
  })
})

describe('what is there', () => {
  it('a file is replaced as a whole', () => {
    writeFileSync(box.path('old.json'), 'x'.repeat(1_000_000))
    expect(box.run(['export', 'l.sqlite', '--output', 'old.json']).code).toBe(0)
    expect(JSON.parse(readFileSync(box.path('old.json'), 'utf8'))).toHaveLength(11)
  })

  it('a symbolic link stays, and the file that it names is replaced', () => {
    writeFileSync(box.path('target.json'), 'old')
    symlinkSync('target.json', box.path('link.json'))
    expect(box.run(['export', 'l.sqlite', '--output', 'link.json']).code).toBe(0)
    expect(lstatSync(box.path('link.json')).isSymbolicLink()).toBe(true)
    expect(JSON.parse(readFileSync(box.path('target.json'), 'utf8'))).toHaveLength(11)
  })

  it.each([
    ['a directory', '.'],
    ['a missing folder', 'missing/out.json'],
    ['a file where a folder should be', 'l.sqlite/out.json'],
    ['a full device', '/dev/full'],
    ['a name that is too long', 'n'.repeat(300)],
  ])('%s: exit 3, no file', (_, output) => {
    const files = box.files()
    const { code, stdout, stderr } = box.run(['export', 'l.sqlite', '--output', output])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: `[^\n]+ cannot be written: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
    expect(box.files()).toEqual(files)
  })

  it('a link to nothing is not replaced', () => {
    symlinkSync('nothing', box.path('dangling'))
    expect(box.run(['export', 'l.sqlite', '--output', 'dangling']).code).toBe(3)
    expect(lstatSync(box.path('dangling')).isSymbolicLink()).toBe(true)
    expect(box.files()).not.toContain('nothing')
  })

  it('a pipe or device is written to, not replaced', () => {
    const direct = box.run(['export', 'l.sqlite']).stdout
    expect(box.shell('$S export l.sqlite --output /dev/stdout | cat').stdout).toBe(direct)
    expect(box.shell('mkfifo pipe; cat pipe & $S export l.sqlite --output pipe; wait; rm pipe').stdout).toBe(direct)
    expect(box.run(['export', 'l.sqlite', '--output', '/dev/null'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  it('a pipe whose reader goes away is no error', () => {
    const ran = box.shell('$S export many.jsonl --output >(true)')
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})

describe('a full disk', () => {
  const disk = box.makeFolder('disk')
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0
  afterAll(() => {
    if (mounted) spawnSync('umount', [disk])
  })
  const skip = skipUnless(mounted, 'a small disk cannot be mounted here')

  it.skipIf(skip)('exit 3 and why; the old file stays, and no new one appears', () => {
    writeFileSync(`${disk}/out.json`, 'old')
    for (const output of ['disk/new.json', 'disk/out.json']) {
      const { code, stdout, stderr } = box.run(['export', 'many.jsonl', '--output', output])
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(ONE_ERROR)
      expect(stderr).toContain('the disk is full')
    }
    expect(box.files('disk')).toEqual(['out.json'])
    expect(readFileSync(`${disk}/out.json`, 'utf8')).toBe('old')
  })

  it.skipIf(skip)('keygen leaves no half pair', () => {
    writeFileSync(`${disk}/out.json`, 'old')
    // The disk has one free page, enough for the private key but not for the public key.
    writeFileSync(`${disk}/filler`, Buffer.alloc(56 * 1024))
    const { code, stderr } = box.run(['keygen', '--private-key', 'disk/k.pem', '--public-key', 'disk/p.pem'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/`disk\/p.pem` cannot be written: the disk is full/)
    expect(box.files('disk')).toEqual(['filler', 'out.json'])
  })
})
