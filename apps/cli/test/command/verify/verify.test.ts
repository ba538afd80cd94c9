// Runs `verify` as a script would. Also reads ../shared/vectors if that folder exists.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox, skipUnless } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
const otherKey = generatePrivateKey()

beforeAll(async () => {
  await writeLedger(box.path('plain.sqlite'), SAMPLE)
  await writeLedger(box.path('plain.jsonl'), SAMPLE)
  await writeLedger(box.path('signed.sqlite'), SAMPLE, key)
  writeFileSync(
    box.path('changed.jsonl'),
    readFileSync(box.path('plain.jsonl'), 'utf8').replace('above the limit', 'within limits'),
  )
  writeFileSync(box.path('empty.jsonl'), '')
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  writeFileSync(box.path('other.pub.pem'), otherKey.publicKey.pem)
})
afterAll(() => box.remove())

describe('a ledger that holds', () => {
  it.each(['plain.sqlite', 'plain.jsonl'])('%s: exit 0, the verdict on stdout, nothing on stderr', (ledger) => {
    const { code, stdout, stderr } = box.run(['verify', ledger])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^intact: /)
    expect(stdout).toContain(`${ledger} (${ledger.split('.')[1]})`)
    expect(stderr).toBe('')
  })

  it('is signed only for whoever gives the key; without it, a hint asks for it', () => {
    const withKey = box.run(['verify', 'signed.sqlite', '--public-key', 'other.pub.pem', '--public-key', 'key.pub.pem'])
    expect(withKey.code).toBe(0)
    expect(withKey.stdout).toMatch(/^signed: /)
    expect(withKey.stderr).toBe('')
    const without = box.run(['verify', 'signed.sqlite'])
    expect(without.code).toBe(0)
    expect(without.stdout).toMatch(/^intact: /)
    expect(without.stderr).toMatch(/^sudoagent: hint: .*--public-key.*\n$/)
  })

  it('--json prints the report as one value; --quiet prints nothing', () => {
    const json = box.run(['verify', 'signed.sqlite', '--json', '--public-key', 'key.pub.pem'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, verdict: 'signed', entries: 11, open: 1, findings: [] })
    expect(json).toMatchObject({ code: 0, stderr: '' })
    expect(box.run(['verify', 'signed.sqlite', '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('is left as it was, with nothing beside it', () => {
    const before = readFileSync(box.path('plain.sqlite'))
    const files = box.files()
    box.run(['verify', 'plain.sqlite'])
    expect(readFileSync(box.path('plain.sqlite')).equals(before)).toBe(true)
    expect(box.files()).toEqual(files)
  })
})

describe('a ledger that does not hold', () => {
  it('changed: exit 1, the findings on stderr with position and code, the verdict on stdout', () => {
    const { code, stdout, stderr } = box.run(['verify', 'changed.jsonl'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^broken: 1 finding, the first at entry 4;/)
    expect(stderr).toMatch(/^sudoagent: error: entry 4: .*\(ENTRY_HASH_MISMATCH\)\n$/)
  })

  it('--json: one value on stdout, nothing on stderr', () => {
    const { code, stdout, stderr } = box.run(['verify', 'changed.jsonl', '--json', '--quiet'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      verdict: 'broken',
      findings: [{ code: 'ENTRY_HASH_MISMATCH', position: 4 }],
    })
    expect(stderr).toBe('')
  })

  it('--quiet: the findings stay, they are errors', () => {
    const { code, stdout, stderr } = box.run(['verify', 'changed.jsonl', '--quiet'])
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain('ENTRY_HASH_MISMATCH')
  })

  it.each([
    ['empty', ['empty.jsonl'], 'LEDGER_EMPTY'],
    ['unsigned where a key was given', ['plain.sqlite', '--public-key', 'key.pub.pem'], 'SIGNATURE_MISSING'],
    ['signed by another key', ['signed.sqlite', '--public-key', 'other.pub.pem'], 'KEY_UNKNOWN'],
  ])('%s: exit 1', (_, args, finding) => {
    const { code, stderr } = box.run(['verify', ...args])
    expect(code).toBe(1)
    expect(stderr).toContain(finding)
  })
})

it('refuses more keys than can be meant', () => {
  const keys = Array.from({ length: 65 }, () => ['--public-key', 'key.pub.pem']).flat()
  const { code, stderr } = box.run(['verify', 'plain.jsonl', ...keys])
  expect(code).toBe(2)
  expect(stderr).toMatch(/^sudoagent: error: .*\nsudoagent: hint: .*\n$/)
})

const VECTORS = fileURLToPath(new URL('../../../../../../shared/vectors/python-v2/', import.meta.url))
const noVectors = skipUnless(existsSync(VECTORS), `no ledgers from the Python implementation at ${VECTORS}`)

describe.skipIf(noVectors)('ledgers written by SudoAgent 2.0 for Python', () => {
  it.each(['plain.jsonl', 'plain.sqlite', 'exotic-numbers-and-keys.jsonl'])('%s is intact', (name) => {
    expect(box.run(['verify', `${VECTORS}${name}`])).toMatchObject({ code: 0, stderr: '' })
  })

  it('signed.jsonl is signed', () => {
    const { code, stdout } = box.run([
      'verify',
      `${VECTORS}signed.jsonl`,
      '--public-key',
      `${VECTORS}signed.jsonl.pub.pem`,
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^signed: /)
  })
})
