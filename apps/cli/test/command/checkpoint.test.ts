import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox } from '../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

beforeAll(async () => {
  await writeLedger(box.path('plain.sqlite'), SAMPLE)
  await writeLedger(box.path('l.sqlite'), SAMPLE, key)
  await writeLedger(box.path('l.jsonl'), SAMPLE, key)
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
  const other = generatePrivateKey()
  writeFileSync(box.path('other.pub.pem'), other.publicKey.pem)
  writeFileSync(box.path('other.pem'), other.pem, { mode: 0o600 })
})
afterAll(() => box.remove())

describe('checkpoint', () => {
  it.each(['l.sqlite', 'l.jsonl'])('prints the head of %s, which verifies', (ledger) => {
    const { code, stdout, stderr } = box.run(['checkpoint', ledger])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^sudoagent\.dev\/ledger\/[0-9a-f]{32}\n11\n[A-Za-z0-9+/]{43}=\n\n— /)
    writeFileSync(box.path('cp'), stdout)
    expect(box.run(['checkpoint', 'verify', 'cp', '--public-key', 'key.pub.pem'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`signed by  key ${key.publicKey.keyId}`),
    })
    expect(
      JSON.parse(box.run(['checkpoint', 'verify', 'cp', '--public-key', 'key.pub.pem', '--json']).stdout),
    ).toMatchObject({ ok: true, size: 11, signed_by: [key.publicKey.keyId], cosigned_by: [], quorum: null })
  })

  it('makes an exported copy whole', () => {
    expect(box.run(['export', 'l.sqlite', '--output', 'copy.jsonl']).code).toBe(0)
    const verify = () => box.run(['verify', 'copy.jsonl', '--public-key', 'key.pub.pem'])
    expect(verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('CHECKPOINT_MISSING') })
    expect(box.run(['checkpoint', 'l.sqlite', '--output', 'copy.jsonl.head']).code).toBe(0)
    expect(verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^signed: /) })
  })

  it('is signed anew for a copy that has lost its head, by a key of the ledger, and only if everything else holds', () => {
    copyFileSync(box.path('l.jsonl'), box.path('lost.jsonl'))
    expect(box.run(['checkpoint', 'lost.jsonl'])).toMatchObject({ code: 1, stderr: expect.stringMatching(ONE_ERROR) })
    const { code, stdout } = box.run(['checkpoint', 'lost.jsonl', '--private-key', 'key.pem'])
    expect(code).toBe(0)
    expect(stdout).toBe(readFileSync(box.path('l.jsonl.head'), 'utf8'))
    expect(box.run(['checkpoint', 'lost.jsonl', '--private-key', 'other.pem'])).toMatchObject({ code: 1, stdout: '' })
    writeFileSync(box.path('bad.jsonl'), readFileSync(box.path('l.jsonl'), 'utf8').replace('above the', 'below the'))
    expect(box.run(['checkpoint', 'bad.jsonl', '--private-key', 'key.pem'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('ENTRY_HASH_MISMATCH'),
    })
  })

  it('of a ledger that nobody signs: exit 1', () => {
    expect(box.run(['checkpoint', 'plain.sqlite'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
  })
})

describe('checkpoint verify', () => {
  it.each<[string, (note: string) => string, readonly string[], number]>([
    ['changed', (note) => note.replace('\n11\n', '\n12\n'), ['--public-key', 'key.pub.pem'], 1],
    ['under another key', (note) => note, ['--public-key', 'other.pub.pem'], 1],
    ['with CRLF', (note) => note.replaceAll('\n', '\r\n'), ['--public-key', 'key.pub.pem'], 1],
    ['without its last line feed', (note) => note.slice(0, -1), ['--public-key', 'key.pub.pem'], 1],
    [
      'with a hundred and one signatures',
      (note) => note + note.slice(note.indexOf('— ')).repeat(100),
      ['--public-key', 'key.pub.pem'],
      1,
    ],
    ['without a key', (note) => note, [], 2],
  ])('a checkpoint %s', (_, change, args, code) => {
    writeFileSync(box.path('changed'), change(box.run(['checkpoint', 'l.sqlite']).stdout))
    const ran = box.run(['checkpoint', 'verify', 'changed', ...args])
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
  })
})

describe('verify with what was kept elsewhere', () => {
  it('a checkpoint and a receipt: anchored; of another ledger: broken', async () => {
    writeFileSync(box.path('kept'), box.run(['checkpoint', 'l.sqlite']).stdout)
    const verify = (ledger: string, ...more: readonly string[]) =>
      box.run(['verify', ledger, '--public-key', 'key.pub.pem', ...more])
    expect(verify('l.sqlite', '--checkpoint', 'kept', '--require', 'anchored')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^anchored: /),
    })
    expect(verify('l.jsonl', '--checkpoint', 'kept')).toMatchObject({ code: 1 })
    expect(verify('l.sqlite', '--require', 'anchored')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('REQUIREMENT_NOT_MET'),
    })
    expect(verify('l.sqlite', '--max-tail', '0').code).toBe(0)
    expect(verify('l.sqlite', '--require-outcomes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OUTCOME_MISSING'),
    })
    for (const args of [
      ['--max-tail', 'x'],
      ['--require', 'x'],
      ['--state', '-'],
    ])
      expect(verify('l.sqlite', ...args)).toMatchObject({ code: 2, stdout: '' })
    expect(verify('l.sqlite', '--checkpoint', 'none')).toMatchObject({ code: 3, stdout: '' })
  })

  it('--state: the next run begins where this one ended, and finds an older copy put back', async () => {
    await writeLedger(box.path('grows.sqlite'), SAMPLE.slice(0, 2), key)
    copyFileSync(box.path('grows.sqlite'), box.path('older.sqlite'))
    await writeLedger(box.path('grows.sqlite'), SAMPLE.slice(2), key)
    const verify = () => box.run(['verify', 'grows.sqlite', '--public-key', 'key.pub.pem', '--state', 'state.json'])
    expect(verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^signed: /) })
    expect(verify()).toMatchObject({ code: 0, stdout: expect.stringContaining('0 new entries since the last run') })
    copyFileSync(box.path('older.sqlite'), box.path('grows.sqlite'))
    const before = readFileSync(box.path('state.json'))
    expect(verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('TRUNCATED') })
    expect(readFileSync(box.path('state.json')).equals(before)).toBe(true)
    writeFileSync(box.path('state.json'), '{}')
    expect(verify()).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: /) })
  })
})
