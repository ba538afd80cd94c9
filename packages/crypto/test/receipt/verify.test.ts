import { describe, expect, test } from 'vitest'
import { createNoteKey, encodeVkey } from '../../src/note/note-key.js'
import { parseWitnessPolicy } from '../../src/note/witness-policy.js'
import { encodeReceipt } from '../../src/receipt/receipt.js'
import { verifyReceipt } from '../../src/receipt/verify.js'
import { codeOf } from '../fixtures/errors.js'
import { broken, changed, TRUST, verified } from '../fixtures/receipt-verdicts.js'
import {
  decisionLine,
  KEY,
  LEDGER_ORIGIN,
  NEW_KEY,
  POLICY,
  POLICY_TEXT,
  SampleLog,
  STRANGER,
  sampleLog,
  sampleReceipt,
  WITNESSES,
} from '../fixtures/receipts.js'

describe('a receipt that holds', () => {
  test('with entry and outcome', async () => {
    const { position, verdict, entry_signature, decision, outcome, checkpoint } = verified(await sampleReceipt())
    expect({ position, verdict, entry_signature }).toEqual({
      position: 3,
      verdict: 'signed',
      entry_signature: 'verified',
    })
    expect(decision).toMatchObject({ effect: 'allow', action: 'refund', actor: { principal: 'bot-7', source: 'node' } })
    expect(decision?.parameters).toBe('{"args":[],"kwargs":{"amount":40}}')
    expect(outcome).toMatchObject({ position: 5, entry_signature: 'verified', content: { status: 'success' } })
    expect(outcome?.checkpoint).toEqual(checkpoint)
    expect(checkpoint).toMatchObject({ origin: LEDGER_ORIGIN, size: 7, signed_by: [KEY.keyId], cosigned_by: [] })
  })

  test('without entry it is a hash at a position, and no word more', async () => {
    const receipt = await sampleReceipt({ withEntry: false })
    const report = verified(receipt)
    expect(report).toMatchObject({
      position: 3,
      decision: null,
      entry_signature: 'verified',
      outcome: null,
      unproven: ['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash', 'outcome'],
    })
    const lies = changed(receipt, (members) => Object.assign(members, { request_id: 'another', policy_id: 'lax' }))
    expect(verified(lies)).toEqual(report)
  })

  test('as bytes, in any layout', async () => {
    const receipt = await sampleReceipt()
    const report = verified(receipt)
    expect(verifyReceipt(new TextEncoder().encode(receipt), TRUST)).toEqual(report)
    expect(verified(receipt.replaceAll('\n', '\r\n\t '))).toEqual(report)
    expect(verified(changed(receipt, () => {}))).toEqual(report)
  })

  test('a decision at the first and only position, denied', async () => {
    const log = new SampleLog([decisionLine({ effect: 'deny' })])
    const report = verified(encodeReceipt(await log.parts(1), { withEntry: true }))
    expect(report).toMatchObject({ position: 1, decision: { effect: 'deny', approval: null }, outcome: null })
  })

  test('numbers as Python writes them, to the last digit', async () => {
    const parameters = { args: ['exact:0.0000001'], kwargs: { amount: 'exact:13.000000000000000000001' } }
    const receipt = await sampleReceipt({ parameters })
    expect(verified(receipt).decision?.parameters).toContain('13.000000000000000000001')
    for (const other of ['13.000000000000000000002', '13', '13.00000000000000000000', '13.0']) {
      const codes = broken(receipt.replace('13.000000000000000000001', other))
      expect(codes).toContain(other.endsWith('0') ? 'RECEIPT_INVALID' : 'ENTRY_HASH_MISMATCH')
    }
  })

  test('an entry of SudoAgent for Python: no actor, no key id, nothing recorded_at', async () => {
    const changes = { actor: undefined, key_id: undefined, recorded_at: undefined }
    const line = decisionLine({ changes })
    const log = new SampleLog([line])
    const receipt = encodeReceipt(await log.parts(1), { withEntry: true })
    // The entry's decision_hash covers a different actor than the actor that the entry implies.
    expect(broken(receipt)).toEqual(['DECISION_HASH_MISMATCH'])
  })

  test('a key was replaced: one signed the entry, another the checkpoint', async () => {
    const receipt = await sampleReceipt({ key: KEY, keys: [NEW_KEY] })
    expect(verified(receipt, { publicKeys: [NEW_KEY.publicKey] }).entry_signature).toBe('unchecked')
    expect(verified(receipt, { publicKeys: [NEW_KEY.publicKey, KEY.publicKey] }).entry_signature).toBe('verified')
    expect(broken(receipt)).toEqual(['KEY_UNKNOWN'])
  })

  test('both keys signed the checkpoint', async () => {
    const receipt = await sampleReceipt({ keys: [KEY, NEW_KEY] })
    expect(verified(receipt).checkpoint?.signed_by).toEqual([KEY.keyId])
    const both = { publicKeys: [NEW_KEY.publicKey, KEY.publicKey, KEY.publicKey] }
    expect(verified(receipt, both).checkpoint?.signed_by).toEqual([KEY.keyId, NEW_KEY.keyId])
  })

  test('entries that are not signed, under a checkpoint that is', async () => {
    const report = verified(await sampleReceipt({ key: null }))
    expect(report).toMatchObject({ entry_signature: 'none', outcome: { entry_signature: 'none' } })
  })

  test('an outcome of later, against a later checkpoint', async () => {
    const log = sampleLog()
    const decision = await log.parts(3, { size: 4 })
    const receipt = encodeReceipt({ ...decision, outcome: await log.parts(5) }, { withEntry: true })
    expect(verified(receipt)).toMatchObject({ checkpoint: { size: 4 }, outcome: { checkpoint: { size: 7 } } })
  })

  test('an approval that was given for this call', async () => {
    expect(verified(await sampleReceipt({ approved: true })).decision?.approval).toMatchObject({ state: 'approved' })
  })

  test('a key under the name of the log', async () => {
    const receipt = await sampleReceipt()
    verified(receipt, { publicKeys: [createNoteKey(LEDGER_ORIGIN, KEY.publicKey)] })
    const other = createNoteKey('sudoagent.example/ledger/2', KEY.publicKey)
    expect(broken(receipt, { publicKeys: [other] })).toEqual(['KEY_UNKNOWN'])
    verified(receipt, { publicKeys: [other, KEY.publicKey] })
  })
})

test.each([
  [
    'of the checkpoint alone',
    NEW_KEY,
    'a given key signed the checkpoint, but entry_signature is not a signature of this entry by a given key',
    'if an older key of the log signed the entry, give that key as well',
  ],
  [
    'of the entry alone',
    KEY,
    'the checkpoint is not signed by a given key of this log',
    'give the public key of the log',
  ],
  ['of nobody', STRANGER, 'the checkpoint is not signed by a given key of this log', 'give the public key of the log'],
])('an entry that does not name its key, and the key %s', async (_, { publicKey }, message, hint) => {
  const receipt = await sampleReceipt({ keys: [NEW_KEY], withEntry: false })
  const { verdict, findings } = verifyReceipt(receipt, { publicKeys: [publicKey] })
  expect({ verdict, findings }).toEqual({ verdict: 'unverified', findings: [{ code: 'KEY_UNKNOWN', message, hint }] })
  verified(receipt, { publicKeys: [KEY.publicKey, NEW_KEY.publicKey] })
})

describe('the log that is meant', () => {
  const withLog = (name: string, key = KEY) => ({
    ...TRUST,
    witnessPolicy: parseWitnessPolicy(`log ${encodeVkey(createNoteKey(name, key.publicKey))}\n${POLICY_TEXT}`),
  })
  const OTHER = 'sudoagent.example/ledger/2'

  test.each<[string, Parameters<typeof verifyReceipt>[1], string[]]>([
    ['its origin', { ...TRUST, origin: LEDGER_ORIGIN }, []],
    ['another origin', { ...TRUST, origin: OTHER }, ['ORIGIN_MISMATCH', 'ORIGIN_MISMATCH']],
    ['an empty origin', { ...TRUST, origin: '' }, ['ORIGIN_MISMATCH', 'ORIGIN_MISMATCH']],
    ['a policy that names it', withLog(LEDGER_ORIGIN), []],
    ['a policy that names another log', withLog(OTHER), ['ORIGIN_MISMATCH', 'ORIGIN_MISMATCH']],
    [
      'a policy that names it with another key',
      withLog(LEDGER_ORIGIN, NEW_KEY),
      ['LOG_KEY_MISMATCH', 'LOG_KEY_MISMATCH'],
    ],
  ])('%s', async (_, trust, codes) => {
    const receipt = await sampleReceipt({ witnesses: WITNESSES })
    if (codes.length === 0) verified(receipt, trust)
    else expect(broken(receipt, trust)).toEqual(codes)
  })

  test('a key that is given as that of the log cannot be a witness', async () => {
    const self = encodeVkey(createNoteKey('witness.example/self', KEY.publicKey, 'cosignature'))
    const witnessPolicy = parseWitnessPolicy(`witness w ${self}\nquorum w\n`)
    const receipt = await sampleReceipt()
    expect(codeOf(() => verifyReceipt(receipt, { ...TRUST, witnessPolicy }))).toBe('POLICY_INVALID')
    const named = { publicKeys: [createNoteKey(LEDGER_ORIGIN, KEY.publicKey)], witnessPolicy }
    expect(codeOf(() => verifyReceipt(receipt, named))).toBe('POLICY_INVALID')
  })

  test('an origin that is not a text is refused', async () => {
    const receipt = await sampleReceipt()
    expect(() => verifyReceipt(receipt, { ...TRUST, origin: 7 as never })).toThrow(TypeError)
  })
})

describe('witnesses', () => {
  const withPolicy = { ...TRUST, witnessPolicy: POLICY }

  test('the quorum is met, for both proofs', async () => {
    const report = verified(await sampleReceipt({ witnesses: WITNESSES }), withPolicy)
    expect(report.verdict).toBe('witnessed')
    expect(report.checkpoint?.cosigned_by).toEqual([
      { name: 'w1', time: 1_790_000_000 },
      { name: 'w2', time: 1_790_000_060 },
    ])
    expect(verified(await sampleReceipt({ witnesses: WITNESSES })).verdict).toBe('signed')
  })

  test('it is not, for one or both', async () => {
    const log = sampleLog()
    const [one, two] = [WITNESSES.slice(1), WITNESSES]
    const text = async (a: typeof WITNESSES, b: typeof WITNESSES) =>
      encodeReceipt(
        { ...(await log.parts(3, { witnesses: a })), outcome: await log.parts(5, { witnesses: b }) },
        { withEntry: true },
      )
    expect(broken(await text(one, two), withPolicy)).toEqual(['WITNESS_QUORUM_MISSING'])
    expect(broken(await text(two, one), withPolicy)).toEqual(['WITNESS_QUORUM_MISSING'])
    expect(broken(await text([], []), withPolicy)).toEqual(['WITNESS_QUORUM_MISSING', 'WITNESS_QUORUM_MISSING'])
    // The report still contains the verified part: the log signed this checkpoint.
    expect(verifyReceipt(await text([], []), withPolicy).checkpoint?.signed_by).toEqual([KEY.keyId])
  })

  test('a policy that asks for none makes nothing witnessed', async () => {
    const witnessPolicy = parseWitnessPolicy(POLICY_TEXT.replace('quorum both', 'quorum none'))
    expect(verified(await sampleReceipt(), { ...TRUST, witnessPolicy }).verdict).toBe('signed')
    expect(verified(await sampleReceipt({ witnesses: WITNESSES }), { ...TRUST, witnessPolicy }).verdict).toBe('signed')
  })

  test('witnesses cannot stand in for the log, and a false cosignature rejects the checkpoint', async () => {
    const receipt = await sampleReceipt({ witnesses: WITNESSES, withOutcome: false })
    expect(broken(receipt, { publicKeys: [], witnessPolicy: POLICY })).toEqual(['KEY_UNKNOWN'])
    const flawed = receipt.replace(/(?<=— witness\.example\/w1 [^\\]{40})./, (char) => (char === 'A' ? 'B' : 'A'))
    expect(broken(flawed, withPolicy)).toEqual(['SIGNATURE_INVALID'])
  })

  test('the logs of a policy are trusted, each under its name', async () => {
    const log = (origin: string) => `log ${encodeVkey(createNoteKey(origin, KEY.publicKey))}\n`
    const receipt = await sampleReceipt({ witnesses: WITNESSES })
    const policy = (origin: string) => ({
      publicKeys: [],
      witnessPolicy: parseWitnessPolicy(log(origin) + POLICY_TEXT),
    })
    expect(verified(receipt, policy(LEDGER_ORIGIN)).verdict).toBe('witnessed')
    expect(broken(receipt, policy('other.example/log'))).toEqual(['KEY_UNKNOWN'])
  })
})

describe('misuse throws', () => {
  test.each<[string, unknown, unknown]>([
    ['no text', undefined, TRUST],
    ['a parsed receipt', {}, TRUST],
    ['no options', '{}', undefined],
    ['null', '{}', null],
    ['no keys', '{}', {}],
    ['one key', '{}', { publicKeys: KEY.publicKey }],
    ['the text of a key', '{}', { publicKeys: [KEY.publicKey.pem] }],
    ['a signer', '{}', { publicKeys: [KEY] }],
    ['null as key', '{}', { publicKeys: [null] }],
    ['a misspelt option', '{}', { publicKeys: [], witnesspolicy: POLICY }],
  ])('%s', (_, text, trust) => {
    expect(() => verifyReceipt(text as never, trust as never)).toThrow(TypeError)
  })

  test('too many keys, a witness as log, a key whose fields contradict one another', () => {
    const many = Array.from({ length: 65 }, () => KEY.publicKey)
    expect(() => verifyReceipt('{}', { publicKeys: many })).toThrow(RangeError)
    const key = WITNESSES[0]?.key
    expect(codeOf(() => verifyReceipt('{}', { publicKeys: key ? [key] : [] }))).toBe('KEY_WRONG_TYPE')
    const mixed = { ...KEY.publicKey, keyId: NEW_KEY.publicKey.keyId }
    expect(codeOf(() => verifyReceipt('{}', { publicKeys: [mixed] }))).toBe('KEY_INVALID')
  })
})

const END = '2026-11-22T20:20:00.000000Z'

test.each<[string, object, readonly string[]]>([
  ['in time', { resolved_at: '2026-11-22T20:19:59.999999Z' }, []],
  ['at the last moment', { resolved_at: END }, []],
  ['a microsecond late', { resolved_at: '2026-11-22T20:20:00.000001Z' }, ['APPROVAL_EXPIRED']],
  ['at a time that cannot be read', { resolved_at: 'yesterday' }, ['APPROVAL_EXPIRED']],
  ['with an end that cannot be read', { expires_at: 'never' }, ['APPROVAL_EXPIRED']],
  ['hours before the entry was recorded', { expires_at: '2026-11-22T19:00:00.000000Z' }, ['APPROVAL_EXPIRED']],
])('an approval that was given %s', async (_, times, codes) => {
  const { approval } = JSON.parse(decisionLine({ approved: true }))
  const given = { ...approval, resolved_at: '2026-11-22T18:00:00.000000Z', expires_at: END, ...times }
  const lines = sampleLog().lines.with(2, decisionLine({ approved: true, changes: { approval: given } }))
  const receipt = encodeReceipt(await new SampleLog(lines).parts(3), { withEntry: true })
  expect(verifyReceipt(receipt, TRUST).findings.map(({ code }) => code)).toEqual(codes)
})
