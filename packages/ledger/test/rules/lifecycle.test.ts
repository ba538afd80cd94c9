import { APPROVAL_USE_GRACE_MS } from '@sudoagent/crypto/entry'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApprovalBlock, EntryDraft } from '../../src/entry/entry.js'
import { Lifecycle } from '../../src/rules/lifecycle.js'
import { factsOfDraft } from '../fixtures/call-facts.js'
import { approvalOf, decisionDraft, momentAt, outcomeDraft } from '../fixtures/draft.js'

const allow = decisionDraft(1)
const deny = decisionDraft(2, { effect: 'deny' })

/** Returns the problems of these entries, in order. */
function watch(...drafts: readonly (EntryDraft & { recorded_at?: string })[]): string[] {
  const lifecycle = new Lifecycle()
  return drafts.flatMap((draft, n) =>
    lifecycle.observe(factsOfDraft(draft), n + 1, null).map(({ code }) => `${code}@${n + 1}`),
  )
}

const approvedAt = (change: Partial<ApprovalBlock>, recordedAt?: string) => ({
  ...allow,
  approval: approvalOf(allow, change),
  ...(recordedAt === undefined ? {} : { recorded_at: recordedAt }),
})

describe('the life of a call', () => {
  it('is a decision, then an outcome', () => {
    expect(watch(allow, outcomeDraft(allow), deny)).toEqual([])
    expect(watch(allow, deny, decisionDraft(3), outcomeDraft(decisionDraft(3)), outcomeDraft(allow))).toEqual([])
  })

  it('counts as open between the two', () => {
    const lifecycle = new Lifecycle()
    const open = [allow, deny, decisionDraft(3), outcomeDraft(allow), outcomeDraft(decisionDraft(3))].map(
      (draft, n) => {
        lifecycle.observe(factsOfDraft(draft), n + 1, null)
        return lifecycle.open
      },
    )
    expect(open).toEqual([1, 1, 2, 1, 0])
  })

  it('has no other order', () => {
    expect(watch(outcomeDraft(allow), allow)).toEqual(['DECISION_UNKNOWN@1'])
    expect(watch(deny, outcomeDraft(deny), outcomeDraft(deny))).toEqual([
      'OUTCOME_AFTER_DENY@2',
      'OUTCOME_AFTER_DENY@3',
    ])
    expect(watch(allow, outcomeDraft(allow), outcomeDraft(allow))).toEqual(['OUTCOME_DUPLICATE@3'])
    expect(watch(allow, outcomeDraft(allow), allow)).toEqual(['DECISION_DUPLICATE@3'])
  })

  it('belongs to one request', () => {
    const again = decisionDraft(9, { requestId: allow.request_id, effect: 'deny' })
    expect(watch(allow, again)).toEqual(['DECISION_DUPLICATE@2'])
    const other = { ...outcomeDraft(allow), request_id: deny.request_id }
    expect(watch(allow, other)).toEqual(['REQUEST_ID_MISMATCH@2'])
    // A rejected outcome does not count as the outcome of the call.
    expect(watch(allow, other, outcomeDraft(allow))).toEqual(['REQUEST_ID_MISMATCH@2'])
  })

  it('is not misled by a request that is called like a state', () => {
    for (const requestId of ['\u0000denied', '\u0000done', '__proto__', 'constructor']) {
      const odd = decisionDraft(1, { requestId })
      expect(watch(odd, outcomeDraft(odd))).toEqual([])
      expect(watch(deny, outcomeDraft(odd))).toEqual(['DECISION_UNKNOWN@2'])
    }
  })

  it('has as many findings as entries too many, in any order', () => {
    const drafts = [allow, outcomeDraft(allow), deny, decisionDraft(3), outcomeDraft(decisionDraft(3))]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...drafts), { maxLength: 20 }), (sequence) => {
        const lifecycle = new Lifecycle()
        const good = sequence.filter((draft, n) => lifecycle.observe(factsOfDraft(draft), n + 1, null).length === 0)
        // The entries without findings form a valid ledger.
        expect(watch(...good)).toEqual([])
        const decisions = good.filter(
          ({ event, decision }) => event === 'decision' && decision.effect === 'allow',
        ).length
        expect(lifecycle.open).toBe(decisions - good.filter(({ event }) => event === 'outcome').length)
      }),
    )
  })
})

describe('an approval', () => {
  it('is good for its call until its end', () => {
    expect(watch(approvedAt({}))).toEqual([])
    expect(watch(approvedAt({ resolved_at: momentAt(310_000) }))).toEqual([])
    expect(watch(approvedAt({ expires_at: null, resolved_at: null }))).toEqual([])
  })

  it.each<[string, Partial<ApprovalBlock>, string]>([
    [
      'for another request',
      { binding: { request_id: 'x', policy_hash: 'p', decision_hash: 'd' } },
      'APPROVAL_BINDING_MISMATCH@1',
    ],
    ['for nothing', { binding: null }, 'APPROVAL_BINDING_MISMATCH@1'],
    ['a microsecond late', { resolved_at: momentAt(310_000).replace('000Z', '001Z') }, 'APPROVAL_EXPIRED@1'],
    ['with an end that cannot be read', { expires_at: '2026-01-01' }, 'APPROVAL_EXPIRED@1'],
    ['denied', { state: 'denied' }, 'APPROVAL_NOT_APPROVED@1'],
    ['spelt in another way', { state: 'Approved' }, 'APPROVAL_NOT_APPROVED@1'],
  ])('is not good %s', (_, change, finding) => expect(watch(approvedAt(change))).toEqual([finding]))

  it('may wait for the ledger as long as the grace allows, and no longer', () => {
    const end = 310_000 + APPROVAL_USE_GRACE_MS
    expect(watch(approvedAt({}, momentAt(end)))).toEqual([])
    expect(watch(approvedAt({}, momentAt(end + 1)))).toEqual(['APPROVAL_EXPIRED@1'])
  })

  it('is not asked for where the call was denied', () => {
    const refused = { ...deny, approval: approvalOf(allow, { state: 'denied' }) }
    expect(watch(refused)).toEqual([])
  })

  it('may be wrong in several ways at once', () => {
    expect(watch(approvedAt({ state: 'expired', binding: null, expires_at: 'never' }))).toEqual([
      'APPROVAL_NOT_APPROVED@1',
      'APPROVAL_BINDING_MISMATCH@1',
      'APPROVAL_EXPIRED@1',
    ])
  })
})
