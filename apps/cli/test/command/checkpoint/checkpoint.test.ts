import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey } from '@sudoagent/crypto/note'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

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

describe('the log that is meant', () => {
  const origin = () => /^[^\n]+/.exec(box.run(['checkpoint', 'l.sqlite']).stdout)?.[0] ?? ''
  beforeAll(() => {
    writeFileSync(box.path('meant.vkey'), `${encodeVkey(createNoteKey(origin(), key.publicKey))}\n`)
    writeFileSync(box.path('other.vkey'), `${encodeVkey(createNoteKey('example.com/other', key.publicKey))}\n`)
    writeFileSync(box.path('other.policy'), `log ${readFileSync(box.path('other.vkey'), 'utf8')}quorum none\n`)
    writeFileSync(box.path('meant.checkpoint'), box.run(['checkpoint', 'l.sqlite']).stdout)
    const { stdout } = box.run(['receipt', 'l.sqlite', '--request-id', SAMPLE[0]?.request_id ?? ''])
    writeFileSync(box.path('meant.receipt'), stdout)
    writeFileSync(box.path('meant.proof'), JSON.parse(stdout).proof)
  })

  const evidence = [
    ['verify', 'l.sqlite'],
    ['receipt', 'verify', 'meant.receipt'],
    ['checkpoint', 'verify', 'meant.checkpoint'],
  ]
  it.each(evidence)('sudoagent %s %s', (...command) => {
    const run = (...more: string[]) => box.run([...command, ...more])
    expect(run('--public-key', 'meant.vkey', '--origin', origin())).toMatchObject({ code: 0 })
    expect(run('--public-key', 'key.pub.pem', '--origin', 'example.com/other')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ORIGIN_MISMATCH'),
    })
    expect(run('--public-key', 'key.pub.pem', '--witness-policy', 'other.policy')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ORIGIN_MISMATCH'),
    })
    // This vkey has the right public key, but a different log name.
    expect(run('--public-key', 'other.vkey')).toMatchObject({ code: 1, stderr: expect.stringContaining('error:') })
  })

  it('a tlog-proof of another log is refused', () => {
    const { entry_hash } = JSON.parse(readFileSync(box.path('meant.receipt'), 'utf8'))
    const run = (name: string) =>
      box.run([
        'receipt',
        'verify',
        'meant.proof',
        '--entry-hash',
        entry_hash,
        '--public-key',
        'key.pub.pem',
        '--origin',
        name,
      ])
    expect(run(origin())).toMatchObject({ code: 0 })
    expect(run('example.com/other')).toMatchObject({ code: 1, stderr: expect.stringContaining('ORIGIN_MISMATCH') })
  })

  it('a witness whose key is given as that of the log: exit 3 and one error', () => {
    const vkey = encodeVkey(createNoteKey('witness.example', key.publicKey, 'cosignature'))
    writeFileSync(box.path('self.policy'), `witness w ${vkey}\nquorum w\n`)
    for (const command of evidence) {
      const { code, stderr } = box.run([...command, '--public-key', 'key.pub.pem', '--witness-policy', 'self.policy'])
      expect({ code: code === 0 ? 0 : 'refused', stderr }).toEqual({
        code: 'refused',
        stderr: expect.stringMatching(ONE_ERROR),
      })
      expect(stderr).toContain('has the public key of the log')
    }
  })

  it('--max-age: the sample is of 2026-11-22, and its age is compared with the limit', () => {
    const run = (age: string) => box.run(['verify', 'l.sqlite', '--public-key', 'key.pub.pem', '--max-age', age])
    expect(run('1')).toMatchObject({ code: 1, stderr: expect.stringContaining('CHECKPOINT_TOO_OLD') })
    expect(run('999999999999999')).toMatchObject({ code: 0, stderr: '' })
    for (const wrong of ['x', '-1', '1h', '']) expect(run(wrong)).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('what verify could not check, and what is unfinished', () => {
  it('another key: one finding, exit 1, and no word about what was changed', () => {
    for (const ledger of ['l.sqlite', 'l.jsonl']) {
      const { code, stdout, stderr } = box.run(['verify', ledger, '--public-key', 'other.pub.pem'])
      expect(code).toBe(1)
      expect(stdout).toMatch(/^unverified: none of the given keys has signed this ledger/)
      expect(stdout).not.toMatch(/nothing was changed|do not rely/)
      expect(stderr.match(/KEY_UNKNOWN/g)).toHaveLength(1)
      expect(stderr).toContain('the same for 10 more entries')
    }
    const { findings, verdict } = JSON.parse(
      box.run(['verify', 'l.sqlite', '--public-key', 'other.pub.pem', '--json']).stdout,
    )
    expect({ verdict, findings }).toMatchObject({
      verdict: 'unverified',
      findings: [{ code: 'KEY_UNKNOWN', position: 1, count: 11 }],
    })
    writeFileSync(
      box.path('r.json'),
      box.run(['receipt', 'l.sqlite', '--request-id', SAMPLE[0]?.request_id ?? '']).stdout,
    )
    const receipt = box.run(['receipt', 'verify', 'r.json', '--public-key', 'other.pub.pem'])
    expect(receipt).toMatchObject({ code: 1, stdout: expect.stringMatching(/^unverified: none of the given keys/) })
    expect(receipt.stderr.match(/KEY_UNKNOWN/g)).toHaveLength(1)
  })

  it('a call without an outcome is named under the verdict, and listed in the report', () => {
    const { code, stdout } = box.run(['verify', 'l.sqlite', '--public-key', 'key.pub.pem'])
    expect(code).toBe(0)
    const request = SAMPLE[7]?.request_id
    expect(stdout.split('\n')[1]).toBe(
      `1 call was allowed and has no outcome: it may have run (entry 9, request ${request})`,
    )
    const report = JSON.parse(box.run(['verify', 'l.sqlite', '--json']).stdout)
    expect(report.open_calls).toEqual([{ position: 9, request_id: request }])
  })

  it.each([
    ['\ufeff', 'LINE_NOT_JSON'],
    ['[]\n', 'ENTRY_INVALID'],
    ['x', 'LINE_NOT_JSON'],
  ])('%j in front of a ledger is a report with a finding', (head, finding) => {
    copyFileSync(box.path('l.jsonl.head'), box.path('fronted.jsonl.head'))
    writeFileSync(box.path('fronted.jsonl'), head + readFileSync(box.path('l.jsonl'), 'utf8'))
    const { code, stdout } = box.run(['verify', 'fronted.jsonl', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).findings[0]).toMatchObject({ code: finding, position: 1 })
  })

  it('filter and search say how many entries they could not read, and exit with 3', () => {
    const text = readFileSync(box.path('l.jsonl'), 'utf8')
    writeFileSync(box.path('blanks.jsonl'), text.replace(/"effect":"deny"/g, '"effect": "deny"'))
    const filter = box.run(['filter', 'blanks.jsonl', '--effect', 'deny'])
    expect(filter).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('error: entry 4 cannot be read'),
    })
    const search = box.run(['search', 'blanks.jsonl', '--query', 'above the limit'])
    expect(search).toMatchObject({ code: 3, stderr: expect.stringContaining('error: entry 4 cannot be read') })
    // `filter` still prints the matching entries that it can read.
    const all = box.run(['filter', 'blanks.jsonl', '--event', 'decision'])
    expect(all.code).toBe(3)
    expect(all.stdout.trim().split('\n')).toHaveLength(5)
    expect(box.run(['filter', 'l.jsonl', '--effect', 'deny'])).toMatchObject({ code: 0, stderr: '' })
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
