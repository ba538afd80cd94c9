import { describe, expect, test } from 'vitest'
import { encodeReceipt } from '../../src/receipt/receipt.js'
import { verifyReceipt } from '../../src/receipt/verify.js'
import { broken, changed, TRUST, verified } from '../fixtures/receipt-verdicts.js'
import {
  type CallOptions,
  decisionLine,
  KEY,
  outcomeLine,
  type ProofOptions,
  SampleLog,
  STRANGER,
  sampleLog,
  sampleReceipt,
} from '../fixtures/receipts.js'

const APPROVAL = {
  approval_id: 'a',
  state: 'approved',
  approver_id: null,
  created_at: null,
  resolved_at: null,
  expires_at: null,
}

/** Returns the receipt of two given entries, at positions 3 and 5 of a log. */
async function receiptOf(lines: { decision?: string; outcome?: string }, options: CallOptions & ProofOptions = {}) {
  const log = sampleLog(options)
  const all = [...log.lines]
  all[2] = lines.decision ?? all[2] ?? ''
  all[4] = lines.outcome ?? all[4] ?? ''
  const other = new SampleLog(all)
  return encodeReceipt(
    { ...(await other.parts(3, options)), outcome: await other.parts(5, options) },
    { withEntry: true },
  )
}

describe('a receipt that does not hold', () => {
  test('a key that has signed nothing; no key at all', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    expect(broken(receipt, { publicKeys: [STRANGER.publicKey] })).toEqual(['KEY_UNKNOWN'])
    expect(broken(receipt, { publicKeys: [] })).toEqual(['KEY_UNKNOWN'])
    const [finding] = verifyReceipt(receipt, { publicKeys: [] }).findings
    expect(finding?.hint).toContain(KEY.keyId)
  })

  test('no proof', async () => {
    const log = sampleLog()
    const parts = { ...(await log.parts(3)), proof: null }
    expect(broken(encodeReceipt(parts, { withEntry: true }))).toEqual(['PROOF_MISSING'])
    const outcome = { ...(await log.parts(5)), proof: null }
    const text = encodeReceipt({ ...(await log.parts(3)), outcome }, { withEntry: true })
    expect(broken(text)).toEqual(['PROOF_MISSING'])
  })

  test('another entry in place of the one that is proven', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    const other = JSON.parse(decisionLine({ parameters: { args: [], kwargs: { amount: 41 } } }))
    expect(broken(changed(receipt, (r) => Object.assign(r, { entry: other })))).toEqual([
      'ENTRY_HASH_MISMATCH',
      'FIELD_MISMATCH',
      'FIELD_MISMATCH',
      'FIELD_MISMATCH',
    ])
    // The receipt contains a complete entry, but the proof is for a different entry.
    const { proof } = await sampleLog().parts(3)
    expect(broken(encodeReceipt({ position: 3, line: JSON.stringify(other), proof }, { withEntry: true }))).toEqual([
      'PROOF_INVALID',
    ])
  })

  test('the proof of another ledger with the same key', async () => {
    const mine = sampleLog()
    const other = sampleLog({ reason: 'another ledger' })
    const parts = { ...(await mine.parts(3)), proof: await other.proof(3, { origin: 'sudoagent.example/ledger/2' }) }
    expect(broken(encodeReceipt(parts, { withEntry: true }))).toEqual(['PROOF_INVALID'])
  })

  test('decision and outcome in two logs', async () => {
    const log = sampleLog()
    const outcome = await log.parts(5, { origin: 'sudoagent.example/ledger/2' })
    const text = encodeReceipt({ ...(await log.parts(3)), outcome }, { withEntry: true })
    expect(broken(text)).toEqual(['CHECKPOINT_INVALID'])
  })

  test('a log that told two stories of one size', async () => {
    const other = new SampleLog([...sampleLog().lines.slice(0, 6), decisionLine({ requestId: 'x' })])
    const text = encodeReceipt({ ...(await sampleLog().parts(3)), outcome: await other.parts(5) }, { withEntry: true })
    expect(broken(text)).toEqual(['CHECKPOINT_INVALID'])
    expect(verifyReceipt(text, TRUST).findings[0]?.hint).toContain('keep this receipt')
  })

  test('another position than that of the proof', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    expect(broken(receipt.replace('"ledger_position": 3', '"ledger_position": 4'))).toEqual(['PROOF_INVALID'])
  })

  test('a checkpoint of before the entry', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    const before = await sampleLog().checkpoint({ size: 2 })
    const text = changed(receipt, (r) =>
      Object.assign(r, { proof: String(r.proof).replace(/\n\n.*/s, `\n\n${before}`) }),
    )
    expect(broken(text)).toEqual(['PROOF_INVALID'])
  })

  test.each<[string, (proof: string) => string, string]>([
    ['one hash too few', (p) => p.replace(/index 2\n[^\n]*\n/, 'index 2\n'), 'PROOF_INVALID'],
    ['one hash too many', (p) => p.replace('index 2\n', `index 2\n${'A'.repeat(43)}=\n`), 'PROOF_INVALID'],
    ['another index', (p) => p.replace('index 2', 'index 3'), 'PROOF_INVALID'],
    ['an index with a leading zero', (p) => p.replace('index 2', 'index 02'), 'PROOF_INVALID'],
    ['an index of 2^64', (p) => p.replace('index 2', 'index 18446744073709551616'), 'PROOF_INVALID'],
    ['a size with a leading zero', (p) => p.replace('\n7\n', '\n07\n'), 'CHECKPOINT_INVALID'],
    ['a size of 2^64', (p) => p.replace('\n7\n', '\n18446744073709551616\n'), 'CHECKPOINT_INVALID'],
    ['another size', (p) => p.replace('\n7\n', '\n8\n'), 'SIGNATURE_INVALID'],
    ['stray bits in base64', (p) => p.replace(/.=\n/, 'B=\n'), 'PROOF_INVALID'],
    ['CRLF', (p) => p.replaceAll('\n', '\r\n'), 'PROOF_INVALID'],
    ['NUL', (p) => p.replace('index', '\u0000index'), 'PROOF_INVALID'],
    ['no final line feed', (p) => p.trimEnd(), 'PROOF_INVALID'],
    ['a version to come', (p) => p.replace('@v1', '@v2'), 'PROOF_INVALID'],
    ['nothing', () => '', 'PROOF_INVALID'],
    ['a checkpoint without signature', (p) => p.replace(/\n— .*\n/, '\n'), 'CHECKPOINT_INVALID'],
    ['signatures without end', (p) => p + p.slice(p.indexOf('—')).repeat(100), 'CHECKPOINT_INVALID'],
    ['an origin that names no key', (p) => p.replace(/\n\n\S+\n/, '\n\na log\n'), 'CHECKPOINT_INVALID'],
    ['an origin that is somebody else', (p) => p.replace(/\n\n\S+\n/, '\n\nother.example/log\n'), 'KEY_UNKNOWN'],
    [
      '2 MB of hashes',
      (p) => p.replace('index 2\n', `index 2\n${`${'A'.repeat(43)}=\n`.repeat(40_000)}`),
      'PROOF_INVALID',
    ],
    ['10 MB of anything', () => 'x'.repeat(10_000_000), 'PROOF_INVALID'],
  ])('a proof with %s', async (_, change, code) => {
    const receipt = await sampleReceipt({ withOutcome: false })
    expect(broken(changed(receipt, (r) => Object.assign(r, { proof: change(String(r.proof)) })))).toEqual([code])
  })

  test('a hundred signatures of strangers are read, and change nothing', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    const line = `— stranger.example ${Buffer.from('four and a signature').toString('base64')}\n`
    verified(changed(receipt, (r) => Object.assign(r, { proof: r.proof + line.repeat(99) })))
    expect(broken(changed(receipt, (r) => Object.assign(r, { proof: r.proof + line.repeat(100) })))).toEqual([
      'CHECKPOINT_INVALID',
    ])
  })

  test.each<[string, { decision?: string; outcome?: string }, string[]]>([
    ['an outcome in place of the decision', { decision: outcomeLine() }, ['RECEIPT_INVALID']],
    ['a decision in place of the outcome', { outcome: decisionLine() }, ['RECEIPT_INVALID']],
    [
      'the outcome of another request',
      { outcome: outcomeLine({ requestId: 'x' }) },
      ['FIELD_MISMATCH', 'FIELD_MISMATCH', 'DECISION_HASH_MISMATCH'],
    ],
    ['an outcome of a denied call', { decision: decisionLine({ effect: 'deny' }) }, ['FIELD_MISMATCH']],
    ['another effect', { decision: decisionLine({ effect: 'perhaps' as never }) }, ['RECEIPT_INVALID']],
    [
      'a decision with other parameters than were hashed',
      { decision: decisionLine({ changes: { parameters: { args: [], kwargs: {} } } }) },
      ['DECISION_HASH_MISMATCH'],
    ],
    [
      'a decision of another actor',
      { decision: decisionLine({ changes: { actor: { principal: 'eve', source: 'node' } } }) },
      ['DECISION_HASH_MISMATCH'],
    ],
    ['a text as parameters', { decision: decisionLine({ changes: { parameters: 'none' } }) }, ['RECEIPT_INVALID']],
    [
      'an approval for another call',
      {
        decision: decisionLine({
          changes: {
            approval: { ...APPROVAL, binding: { request_id: 'x', policy_hash: 'x', decision_hash: '7'.repeat(64) } },
          },
        }),
      },
      ['FIELD_MISMATCH'],
    ],
    [
      'an approval that is bound to nothing',
      { decision: decisionLine({ changes: { approval: { ...APPROVAL, binding: null } } }) },
      ['FIELD_MISMATCH'],
    ],
    [
      'an approval that was refused',
      { decision: decisionLine({ changes: { approval: { ...APPROVAL, state: 'denied', binding: null } } }) },
      ['FIELD_MISMATCH', 'FIELD_MISMATCH'],
    ],
    ['a key id of hostile text', { decision: decisionLine({ changes: { key_id: '\u001b[2J' } }) }, ['RECEIPT_INVALID']],
    ['another version', { outcome: outcomeLine({ changes: { ledger_version: '3.0' } }) }, ['RECEIPT_INVALID']],
    [
      "members of Object.prototype's name only",
      { outcome: outcomeLine({ changes: { outcome: { toString: 1 } as never } }) },
      ['RECEIPT_INVALID'],
    ],
  ])('%s, though the log has recorded it', async (_, lines, codes) => {
    expect(broken(await receiptOf(lines))).toEqual(codes)
  })

  test.each<[string, object]>([
    ['an outcome of another action', { action: 'delete_everything' }],
    ['an outcome of another agent', { agent_id: 'eve' }],
    ['an outcome of another actor', { actor: { principal: 'eve', source: 'node' } }],
    ['an outcome without its actor', { actor: undefined }],
    ['an outcome with other parameters', { parameters: { args: [], kwargs: { amount: 41 } } }],
  ])('%s under the hash of this decision', async (_, changes) => {
    expect(
      broken(await receiptOf({ outcome: outcomeLine({ changes: changes as CallOptions['changes'] & object }) })),
    ).toEqual(['DECISION_HASH_MISMATCH'])
  })

  test('an outcome that was recorded before its decision', async () => {
    const outcome = outcomeLine({ changes: { recorded_at: '2026-11-22T20:18:30.054068Z' } })
    expect(broken(await receiptOf({ outcome }))).toEqual(['CLOCK_WENT_BACK'])
  })

  describe('without the entries', () => {
    const withoutEntries = async () => changed(await sampleReceipt({ withEntry: false }), () => {})

    test('an entry_signature of another entry is not that of this one', async () => {
      const receipt = await withoutEntries()
      const { outcome } = JSON.parse(receipt)
      const swapped = changed(receipt, (r) => Object.assign(r, { entry_signature: outcome.entry_signature }))
      expect(verifyReceipt(swapped, TRUST)).toMatchObject({ ok: false, findings: [{ code: 'KEY_UNKNOWN' }] })
      const outcomes = changed(receipt, (r) => Object.assign(r.outcome, { entry_signature: r.entry_signature }))
      expect(verifyReceipt(outcomes, TRUST)).toMatchObject({ ok: false, findings: [{ code: 'KEY_UNKNOWN' }] })
    })

    test('an entry_signature that was taken out is named as unproven', async () => {
      const receipt = changed(await withoutEntries(), (r) => Object.assign(r, { entry_signature: null }))
      expect(verified(receipt).unproven).toContain('entry_signature')
    })

    test('an outcome of another call is not in the report, and is named as unproven', async () => {
      const log = sampleLog()
      const foreign = JSON.parse(encodeReceipt(await log.parts(6), { withEntry: false }))
      const { ledger_position, entry_hash, entry_signature, proof } = foreign
      const receipt = changed(await withoutEntries(), (r) =>
        Object.assign(r, { outcome: { ledger_position, entry_hash, entry_signature, proof } }),
      )
      const report = verified(receipt)
      expect(report.outcome).toBeNull()
      expect(report.unproven).toContain('outcome')
      expect(JSON.stringify(report)).not.toContain(entry_hash)
    })

    test.each(['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash'])(
      'another %s is not in the report, and is named as unproven',
      async (name) => {
        const other = name === 'decision_hash' ? '7'.repeat(64) : 'another'
        const report = verified(changed(await withoutEntries(), (r) => Object.assign(r, { [name]: other })))
        expect(JSON.stringify({ ...report, unproven: [] })).not.toContain(other)
        expect(report.unproven).toContain(name)
      },
    )
  })

  test('an outcome that stands before its decision, or is it', async () => {
    const log = new SampleLog([outcomeLine(), decisionLine()])
    const parts = { ...(await log.parts(2)), outcome: await log.parts(1) }
    expect(broken(encodeReceipt(parts, { withEntry: true }))).toEqual(['FIELD_MISMATCH'])
    const same = { ...(await log.parts(2)), outcome: await log.parts(2) }
    expect(broken(encodeReceipt(same, { withEntry: false }))).toEqual(['FIELD_MISMATCH'])
  })

  test.each(['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash', 'entry_hash', 'entry_signature'])(
    'another %s than the entry has',
    async (name) => {
      const receipt = await sampleReceipt({ withOutcome: false })
      const other = (value: unknown) => String(value).replace(/^./, (c) => (c === '0' ? '1' : '0'))
      expect(broken(changed(receipt, (r) => Object.assign(r, { [name]: other(r[name]) })))).toContain('FIELD_MISMATCH')
    },
  )

  test('a signature that was taken out, or is another key’s', async () => {
    const receipt = await sampleReceipt({ withOutcome: false })
    const without = changed(receipt, (r) => {
      delete r.entry.entry_signature
      r.entry_signature = null
    })
    expect(broken(without)).toEqual(['SIGNATURE_INVALID'])
    const { entry_signature } = JSON.parse(decisionLine({ key: STRANGER }))
    const forged = changed(receipt, (r) => {
      Object.assign(r.entry, { entry_signature })
      r.entry_signature = entry_signature
    })
    expect(broken(forged)).toEqual(['SIGNATURE_INVALID'])
  })
})
