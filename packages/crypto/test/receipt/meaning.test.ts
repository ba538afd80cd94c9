import { expect, test } from 'vitest'
import { assertedRequirement } from '../../src/entry/requirement.js'
import { receiptProves } from '../../src/receipt/meaning.js'
import { encodeReceipt } from '../../src/receipt/receipt.js'
import { verifyReceipt } from '../../src/receipt/verify.js'
import { TRUST } from '../fixtures/receipt-verdicts.js'
import {
  ASKED_APPROVAL,
  decisionLine,
  KEY,
  NEW_KEY,
  outcomeLine,
  POLICY,
  SampleLog,
  sampleLog,
  sampleReceipt,
  WITNESSES,
} from '../fixtures/receipts.js'

const meaningOf = (text: string, trust: Parameters<typeof verifyReceipt>[1] = TRUST) => {
  const { proven, notProven } = receiptProves(verifyReceipt(text, trust))
  for (const sentence of [...proven, ...notProven]) expect(sentence).toMatch(/^[^\n]+[^.\n]$/)
  return { proven: proven.join('\n'), notProven: notProven.join('\n') }
}

test('a receipt that does not hold proves nothing', async () => {
  const report = verifyReceipt(await sampleReceipt(), { publicKeys: [NEW_KEY.publicKey] })
  expect(receiptProves(report)).toEqual({
    proven: [],
    notProven: ['anything: none of the given keys signed this receipt'],
  })
  // The checkpoint is valid, but the quorum is missing.
  const missing = verifyReceipt(await sampleReceipt(), { ...TRUST, witnessPolicy: POLICY })
  expect(missing.checkpoint).not.toBeNull()
  expect(receiptProves(missing).proven).toEqual([])
})

test('a receipt of which a given key signed a part proves nothing beyond the checkpoint', async () => {
  const beyond = 'anything except the checkpoint: the given keys signed the checkpoint, but not the whole receipt'
  const trust = { publicKeys: [NEW_KEY.publicKey] }
  const rotated = await sampleReceipt({ keys: [NEW_KEY], withEntry: false })
  const log = sampleLog()
  const parts = { ...(await log.parts(3, { keys: [NEW_KEY] })), outcome: await log.parts(5) }
  for (const text of [rotated, encodeReceipt(parts, { withEntry: true })])
    expect(receiptProves(verifyReceipt(text, trust))).toEqual({ proven: [], notProven: [beyond] })
})

test('signed, with entry and outcome', async () => {
  const { proven, notProven } = meaningOf(await sampleReceipt())
  expect(proven).toContain('entry 3 of the log `sudoagent.example/ledger/1`')
  expect(proven).toContain(`key ${KEY.keyId} signed the checkpoint of the first 7 entries`)
  expect(proven).toContain('that the call succeeded: entry 5 of the same log')
  expect(proven).toContain('a given key also signed the entry itself')
  expect(proven).not.toContain('approval')
  expect(notProven).toContain('the same history: no witnesses')
  expect(notProven).toContain('the parameters and the reason are true')
  expect(notProven).toContain('the intended effect')
})

test('witnessed', async () => {
  const receipt = await sampleReceipt({ witnesses: WITNESSES, approved: true })
  const { proven, notProven } = meaningOf(receipt, { ...TRUST, witnessPolicy: POLICY })
  expect(proven).toContain('this log only grew: `w1`, `w2`')
  expect(proven).toContain('the approval was given for this call')
  expect(notProven).not.toContain('history')
})

test('an approval that was recorded as a question first', async () => {
  const { proven, notProven } = meaningOf(await sampleReceipt({ approval: ASKED_APPROVAL }))
  expect(proven).toContain('the log names `ada@example.com` as the approver')
  expect(proven).toContain('the log names the policy rule `refunds` that required the approval')
  expect(proven).toContain('2 values are not shown as the call gets them')
  expect(notProven).toContain(
    "that `ada@example.com` approved the call, or was shown this call: the operator's word (`asserted`)",
  )
  expect(notProven).toContain('that no stop was open, and that the question was asked before the decision')
  const bare = { ...ASKED_APPROVAL, approver_id: null, requirement: assertedRequirement(null), redacted: 0 }
  const nameless = meaningOf(await sampleReceipt({ approval: bare }))
  expect(nameless.proven).toContain('the log names no approver')
  expect(nameless.proven).toContain('the log names no policy rule that required the approval')
  expect(nameless.proven).toContain('0 values are not shown')
})

test('an approval of an earlier release, a signed approval, and a call that needed none', async () => {
  const older = meaningOf(await sampleReceipt({ approved: true }))
  expect(older.proven).not.toContain('the log names')
  expect(older.notProven).toContain('that `ada@example.com` approved the call, or was shown this call')
  expect(older.notProven).toContain('that no stop was open and no question was asked')
  const requirement = { ...assertedRequirement(null), assurance: 'signed', registry_hash: 'a'.repeat(64) }
  const signed = meaningOf(await sampleReceipt({ approval: { ...ASKED_APPROVAL, requirement } }))
  expect(signed.notProven).toContain('this version does not check the signatures of approvers')
  expect(signed.notProven).not.toContain('asserted')
  expect(meaningOf(await sampleReceipt()).notProven).toContain('that no stop was open and no question was asked')
})

test('a refusal, and a question that was not answered in time', async () => {
  const denied = { effect: 'deny', withOutcome: false } as const
  const refused = meaningOf(await sampleReceipt({ ...denied, approval: { ...ASKED_APPROVAL, state: 'denied' } }))
  expect(refused.proven).toContain('the log names `ada@example.com` as the approver who refused')
  expect(refused.proven).toContain('the log names the policy rule `refunds` that required the approval')
  expect(refused.proven).not.toContain('was given')
  expect(refused.notProven).toContain("that `ada@example.com` refused the call: the operator's word (`asserted`)")
  const expired = { ...ASKED_APPROVAL, state: 'expired', approver_id: null }
  const late = meaningOf(await sampleReceipt({ ...denied, approval: expired }))
  expect(late.proven).toContain('the policy rule `refunds`')
  expect(late.proven + late.notProven).not.toMatch(/approver|refused/)
})

test('a name cannot end its quotation', async () => {
  const { notProven } = meaningOf(await sampleReceipt({ approval: { approver_id: 'ada` approved; `bob' } }))
  expect(notProven).toContain("that `ada' approved; 'bob` approved the call")
})

test('without content nothing is said about a decision', async () => {
  const { proven, notProven } = meaningOf(await sampleReceipt({ withEntry: false }))
  expect(proven).not.toContain('decision')
  expect(proven).not.toContain('succeeded')
  expect(notProven).toContain(
    'it was omitted, so request_id, created_at, policy_id, policy_hash, decision_hash, outcome',
  )
})

test('without outcome, after a deny, without signature, under another key', async () => {
  const notProven = async (...options: Parameters<typeof sampleReceipt>) =>
    meaningOf(await sampleReceipt(...options), { publicKeys: [NEW_KEY.publicKey, KEY.publicKey] }).notProven
  expect(await notProven({ withOutcome: false })).toContain('the receipt has no outcome')
  expect(await notProven({ withOutcome: false, effect: 'deny' })).toContain('without the guard')
  expect(await notProven({ key: null })).toContain('only the checkpoint is signed')
  const rotated = await sampleReceipt({ keys: [NEW_KEY] })
  expect(meaningOf(rotated, { publicKeys: [NEW_KEY.publicKey] }).notProven).toContain('was not given')
})

test('an outcome that failed, and checkpoints of two sizes', async () => {
  const failed = { status: 'error', reason: null, reason_code: null, error_type: 'E', error: 'no' }

  const log = new SampleLog([
    ...sampleLog().lines.slice(0, 4),
    outcomeLine({ changes: { outcome: failed } }),
    decisionLine(),
  ])
  const decision = await log.parts(3, { size: 5 })
  const text = encodeReceipt({ ...decision, outcome: await log.parts(5) }, { withEntry: true })
  expect(meaningOf(text).proven).toContain('ended in an error')
  expect(meaningOf(text).notProven).toContain('their checkpoints have different sizes')
})
