// The members of an approval that was recorded as a question first.
import { describe, expect, test } from 'vitest'
import { broken, verified } from '../fixtures/receipt-verdicts.js'
import { ASKED_APPROVAL, sampleReceipt } from '../fixtures/receipts.js'

describe('the question of an approval', () => {
  test.each<[string, object, string]>([
    ['without a number of redacted values', { redacted: undefined }, 'RECEIPT_INVALID'],
    ['with a negative number of redacted values', { redacted: -1 }, 'RECEIPT_INVALID'],
    ['with a requirement that is null', { requirement: null }, 'RECEIPT_INVALID'],
    ['with a requirement of another form', { requirement: { rule: 'refunds' } }, 'RECEIPT_INVALID'],
    [
      'with a number of redacted values that would be rounded',
      { redacted: 'exact:2.00000000000000000001' },
      'RECEIPT_INVALID',
    ],
    ['of a different call', { approval_id: 'other' }, 'FIELD_MISMATCH'],
  ])('%s is refused, for an allowed and for a denied call', async (_, change, code) => {
    const approval = JSON.parse(JSON.stringify({ ...ASKED_APPROVAL, ...change }))
    expect(broken(await sampleReceipt({ approval, withOutcome: false }))).toEqual([code])
    expect(broken(await sampleReceipt({ approval, effect: 'deny', withOutcome: false }))).toEqual([code])
  })

  test('is read if it has the form of the ledger format', async () => {
    const { decision } = verified(await sampleReceipt({ approval: ASKED_APPROVAL }))
    expect(decision?.approval).toMatchObject({ requirement: ASKED_APPROVAL.requirement, redacted: 2 })
    const older = verified(await sampleReceipt({ approved: true }))
    expect(older.decision?.approval).toMatchObject({ requirement: null, redacted: null })
  })
})
