import { readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testKey } from '../../../../../packages/ledger/test/fixtures/draft.js'
import { pypiLines } from '../../../../../packages/ledger/test/fixtures/pypi-lines.js'
import { decisionHashOf, requestIdOf } from '../../support/draft.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { writeQuestions } from '../../support/question.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const FACTS = { n: 2, kwargs: { amount: 9000 } }
const key = generatePrivateKey()
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

beforeAll(async () => {
  await writeLedger(box.path('plain.sqlite'), SAMPLE)
  await writeLedger(box.path('l.sqlite'), SAMPLE, key)
  await writeLedger(box.path('signed.jsonl'), SAMPLE, key)
  await writeQuestions(box.path('asked.jsonl'), key)
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('other.pub.pem'), generatePrivateKey().publicKey.pem)
})
afterAll(() => box.remove())

describe('the receipt of a position', () => {
  const verified = (file: string) => box.run(['receipt', 'verify', file, '--public-key', 'key.pub.pem'])
  const receiptOf = (position: string, ...args: string[]) =>
    box.run(['receipt', 'asked.jsonl', position, '--output', 'position.json', ...args])

  it('is that of a stop, of its end and of a question, and says what it proves', () => {
    expect(receiptOf('6')).toEqual({ code: 0, stdout: '', stderr: '' })
    const { code, stdout } = verified('position.json')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^signed: the entry is recorded; its checkpoint is signed by the log\n/)
    expect(stdout).toContain(
      'kind        stop\ncovers      agent billing-* bob\nreason      wrong prices\nby          bob\n',
    )
    expect(stdout).toContain('- this stop, exactly as shown, is entry 6 of the log')
    expect(stdout).toContain('- that the stop is still open: a later entry can end it')
    receiptOf('7')
    expect(verified('position.json').stdout).toContain('- this end of a stop, exactly as shown, is entry 7')
    receiptOf('10')
    const question = verified('position.json').stdout
    expect(question).toContain('kind        asked\nrequest     ')
    expect(question).toContain('rule        large-refunds\nneeds       1 approval\nredacted    1 value is not shown')
    expect(question).toContain('- whether and how the question was answered')
    receiptOf('1')
    expect(verified('position.json').stdout).toMatch(/kind {8}genesis\ncontent {5}\{"entries_signed":true,/)
  })

  it('is that of the call for the position of its decision or outcome', () => {
    receiptOf('3')
    const { stdout } = verified('position.json')
    expect(stdout).toContain('approval    approved by bob\nrule        large-refunds\nneeds       1 approval\n')
    expect(stdout).toContain("- that `bob` approved the call, or was shown this call: the operator's word (`asserted`)")
    expect(stdout).toContain('- that no stop was open, and that the question was asked before the decision')
    const decided = readFileSync(box.path('position.json'), 'utf8')
    receiptOf('4')
    expect(readFileSync(box.path('position.json'), 'utf8')).toBe(decided)
  })

  it('is evidence about the ledger, and a proof by itself', () => {
    receiptOf('6')
    const args = ['verify', 'asked.jsonl', '--public-key', 'key.pub.pem', '--receipt', 'position.json']
    expect(box.run(args).stdout).toMatch(/^anchored: /)
    expect(box.run(['receipt', 'asked.jsonl', '6', '--format', 'tlog-proof']).stdout).toMatch(/^c2sp\.org.*\nindex 5\n/)
  })

  it.each<[string[], number]>([
    [['99'], 1],
    [['0'], 2],
    [['x'], 2],
    [['6', '--request-id', requestIdOf(1)], 2],
    [['6', '--decision-hash', 'a'.repeat(64)], 2],
  ])('%j: exit %i', (args, code) => {
    const ran = box.run(['receipt', 'asked.jsonl', ...args])
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(ONE_ERROR) })
  })

  it('is what a call without a decision has', () => {
    const { code, stderr } = box.run(['receipt', 'asked.jsonl', '--request-id', requestIdOf(4)])
    expect(code).toBe(1)
    expect(stderr).toContain('hint: entry 10 is its question, which has a receipt of its own')
  })
})

describe('receipt', () => {
  it.each([
    ['--request-id', requestIdOf(2)],
    ['--decision-hash', decisionHashOf(FACTS)],
    ['--decision-hash', decisionHashOf(FACTS).toUpperCase()],
  ])('%s %s names the decision and where it stands', (option, value) => {
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', option, value])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      ledger_position: 4,
      request_id: requestIdOf(2),
      decision_hash: decisionHashOf(FACTS),
      entry_signature: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/),
      entry: { action: 'refund_user' },
      outcome: null,
      proof: expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/),
    })
  })

  it('goes into a file, and may leave the content out', () => {
    const args = ['receipt', 'signed.jsonl', '--request-id', requestIdOf(2), '--no-entry', '--output', 'short.json']
    expect(box.run(args)).toEqual({ code: 0, stdout: '', stderr: '' })
    const receipt = readFileSync(box.path('short.json'), 'utf8')
    expect(receipt).not.toContain('refund_user')
    expect(box.run(['receipt', 'verify', 'short.json', '--public-key', 'key.pub.pem'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the content of the entry: it was omitted'),
    })
  })

  it('of a ledger that nobody signs has no proof, and says so', () => {
    const { code, stdout, stderr } = box.run(['receipt', 'plain.sqlite', '--request-id', requestIdOf(2)])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ proof: null, entry_signature: null })
    expect(stderr).toMatch(/^sudoagent: note: the receipt has no proof/)
    const proof = box.run(['receipt', 'plain.sqlite', '--request-id', requestIdOf(2), '--format', 'tlog-proof'])
    expect(proof).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(ONE_ERROR) })
  })

  it.each([
    ['--request-id', requestIdOf(99)],
    ['--decision-hash', '0'.repeat(64)],
  ])('%s %s is not on record: exit 1, and no file', (option, value) => {
    const files = box.files()
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', option, value, '--output', 'none.json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(ONE_ERROR)
    expect(box.files()).toEqual(files)
  })

  it.each([
    ['neither', []],
    ['both', ['--request-id', 'a', '--decision-hash', '0'.repeat(64)]],
    ['half a hash', ['--decision-hash', decisionHashOf(FACTS).slice(0, 32)]],
    ['another format', ['--request-id', 'a', '--format', 'pdf']],
  ])('%s: exit 2', (_, args) => {
    const { code, stdout, stderr } = box.run(['receipt', 'l.sqlite', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(ONE_ERROR)
  })
})

describe('receipt verify', () => {
  const make = (...args: readonly string[]): string =>
    box.run(['receipt', 'l.sqlite', '--request-id', requestIdOf(3), ...args]).stdout

  it('says what is proven and what is not, with nothing but the key', () => {
    writeFileSync(box.path('r.json'), make())
    const { code, stdout, stderr } = box.run(['receipt', 'verify', 'r.json', '--public-key', 'key.pub.pem'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^signed: the decision is recorded/)
    expect(stdout).toMatch(/\nProven\n- [\s\S]*\nNot proven\n- /)
    expect(stdout).toContain('approved by alice')
    const json = box.run(['receipt', 'verify', 'r.json', '--public-key', 'key.pub.pem', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, verdict: 'signed', position: 5, findings: [] })
  })

  it('reads standard input', () => {
    expect(box.shell('$S receipt verify - --public-key key.pub.pem < r.json').code).toBe(0)
  })

  it.each<[string, (receipt: string) => string, string]>([
    ['changed', (receipt) => receipt.replace('ticket 4711', 'ticket 4712'), 'ENTRY_HASH_MISMATCH'],
    ['with the proof of another entry', (receipt) => receipt.replace('index 4', 'index 5'), 'PROOF_INVALID'],
    ['that is no receipt', () => '{}', 'RECEIPT_INVALID'],
  ])('a receipt %s: exit 1 and why', (_, change, finding) => {
    writeFileSync(box.path('changed.json'), change(make()))
    const { code, stdout, stderr } = box.run(['receipt', 'verify', 'changed.json', '--public-key', 'key.pub.pem'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^broken: /)
    expect(stderr).toContain(`(${finding})`)
  })

  it('under another key: exit 1', () => {
    const { code, stderr } = box.run(['receipt', 'verify', 'r.json', '--public-key', 'other.pub.pem'])
    expect(code).toBe(1)
    expect(stderr).toContain('KEY_UNKNOWN')
  })

  it('of an entry of the package on PyPI, under the key of the log alone: the checkpoint is signed, and not the entry', async () => {
    const lines = pypiLines(true)
    writeFileSync(box.path('pypi.jsonl'), lines.map((line) => `${line}\n`).join(''))
    writeFileSync(box.path('pypi.pub.pem'), testKey(1).publicKey.pem)
    await writeLedger(box.path('pypi.jsonl'), SAMPLE.slice(0, 1), key)
    const { request_id: id } = JSON.parse(lines[0] ?? '')
    expect(box.run(['receipt', 'pypi.jsonl', '--request-id', id, '--output', 'pypi.json']).code).toBe(0)
    const verify = (...keys: readonly string[]) =>
      box.run(['receipt', 'verify', 'pypi.json', ...keys.flatMap((name) => ['--public-key', name])])
    const { code, stdout, stderr } = verify('key.pub.pem')
    expect(code).toBe(1)
    expect(stderr).toBe(
      'sudoagent: error: a given key signed the checkpoint, but entry_signature is not a signature of this entry by a given key (KEY_UNKNOWN)\n' +
        'sudoagent: hint: if an older key of the log signed the entry, give that key as well\n',
    )
    expect(stdout).toMatch(/^unverified: a given key signed the checkpoint, but not the whole receipt/)
    expect(stdout).not.toContain('none of the given keys has signed')
    expect(verify('key.pub.pem', 'pypi.pub.pem')).toMatchObject({ code: 0, stderr: '' })
    expect(verify('pypi.pub.pem').stdout).toMatch(/^unverified: none of the given keys has signed this receipt/)
  })

  it('a proof alone, for the hash that is given', () => {
    writeFileSync(box.path('proof.txt'), make('--format', 'tlog-proof'))
    const { entry_hash: hash } = JSON.parse(make()) as { entry_hash: string }
    const verify = (...more: readonly string[]) =>
      box.run(['receipt', 'verify', 'proof.txt', '--public-key', 'key.pub.pem', ...more])
    expect(verify('--entry-hash', hash)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^entry 5 of the log /),
    })
    expect(JSON.parse(verify('--entry-hash', hash, '--json').stdout)).toMatchObject({ ok: true, position: 5 })
    expect(verify('--entry-hash', '0'.repeat(64))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching('PROOF_INVALID'),
    })
    expect(verify()).toMatchObject({ code: 2, stderr: expect.stringMatching(ONE_ERROR) })
  })

  it.each<[string, readonly string[], number]>([
    ['no key', ['r.json'], 2],
    ['a private key', ['r.json', '--public-key', 'key.pem'], 3],
    ['a hash for a receipt', ['r.json', '--public-key', 'key.pub.pem', '--entry-hash', '0'.repeat(64)], 2],
    ['a file that is not there', ['none.json', '--public-key', 'key.pub.pem'], 3],
    ['a ledger', ['l.sqlite', '--public-key', 'key.pub.pem'], 1],
    ['a directory', ['.', '--public-key', 'key.pub.pem'], 3],
  ])('%s: exit code %#', (_, args, code) => {
    const ran = box.run(['receipt', 'verify', ...args])
    expect(ran.code).toBe(code)
    expect(ran.stderr).toMatch(/^sudoagent: error: [^\n]+\n/)
  })
})
