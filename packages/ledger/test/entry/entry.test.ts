import { describe, expect, it } from 'vitest'
import { checkEntry, isCallEntry, type LedgerEntry } from '../../src/entry/entry.js'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX, REQUEST_ID_LENGTH_MAX } from '../../src/limits.js'
import { approvalOf, decisionDraft, momentAt, outcomeDraft, testSigner } from '../fixtures/draft.js'

const HASH = 'a'.repeat(64)
const sealed = { schema_version: '2.0', ledger_version: '2.0', prev_entry_hash: null, entry_hash: HASH }
const draft = decisionDraft(1)
const decision = { ...draft, ...sealed }
const outcome = { ...outcomeDraft(draft), ...sealed }
const checkpoint = { event: 'checkpoint', checkpoint: { kind: 'genesis' }, ...sealed }
const budget = { budget_key: null, agent_id: 'a', action: 'a', cost: 1, window_seconds: 3600.5, checked: true }
const block = draft.decision

type Fields = Record<string, unknown>

/** Returns the field that is rejected after a change, or null if the entry is accepted. */
const misfit = (entry: Fields, change: Fields): string | null => checkEntry({ ...entry, ...change })?.field ?? null

describe('checkEntry', () => {
  it.each<[string, unknown]>([
    ['a decision', decision],
    ['an outcome', outcome],
    ['a control entry', checkpoint],
    ['a control entry with a moment and no request', { ...checkpoint, created_at: momentAt(0), request_id: null }],
    ['a decision of the Python implementation', { ...decision, actor: undefined, metadata: undefined }],
    ['an approval', { ...decision, approval: approvalOf(draft) }],
    [
      'an approval in another form of time',
      { ...decision, approval: approvalOf(draft, { expires_at: '2026-01-01T00:00:00+00:00' }) },
    ],
    ['an approval without binding', { ...decision, approval: approvalOf(draft, { binding: null }) }],
    ['a budget', { ...decision, budget }],
    ['fields that later versions add', { ...decision, leaf_index: 7, decision: { ...block, more: 1 } }],
    [
      'everything that signing adds',
      { ...decision, recorded_at: momentAt(0), key_id: testSigner(1).keyId, entry_signature: 'c2ln' },
    ],
    [
      'the longest names',
      { ...decision, action: 'a'.repeat(NAME_LENGTH_MAX), request_id: 'r'.repeat(REQUEST_ID_LENGTH_MAX) },
    ],
    ['the longest reason', { ...decision, decision: { ...block, reason: 'r'.repeat(REASON_LENGTH_MAX) } }],
  ])('takes %s', (_, entry) => expect(checkEntry(entry)).toBeNull())

  it.each([null, undefined, 7, 'text', [], [decision]])('refuses what is no object: %s', (value) =>
    expect(checkEntry(value)).toEqual({ code: 'ENTRY_INVALID', field: 'entry' }),
  )

  it.each<[string, Fields]>([
    ['schema_version', { schema_version: '1.0' }],
    ['ledger_version', { ledger_version: '2.0.0' }],
  ])('knows one version only: %s', (field, change) =>
    expect(checkEntry({ ...decision, ...change })).toEqual({ code: 'VERSION_UNSUPPORTED', field }),
  )

  it.each<[string, Fields, Fields]>([
    ['schema_version', decision, { schema_version: undefined }],
    ['ledger_version', decision, { ledger_version: 2 }],
    ['event', decision, { event: 'genesis' }],
    ['event', decision, { event: undefined }],
    ['recorded_at', decision, { recorded_at: 'now' }],
    ['recorded_at', decision, { recorded_at: null }],
    ['prev_entry_hash', decision, { prev_entry_hash: undefined }],
    ['prev_entry_hash', decision, { prev_entry_hash: HASH.toUpperCase() }],
    ['entry_hash', decision, { entry_hash: null }],
    ['entry_hash', decision, { entry_hash: `${HASH}a` }],
    ['key_id', decision, { key_id: null }],
    ['key_id', decision, { key_id: 'A'.repeat(16) }],
    ['entry_signature', decision, { entry_signature: '' }],
    ['entry_signature', decision, { entry_signature: 'x'.repeat(129) }],
    ['request_id', decision, { request_id: '' }],
    ['request_id', decision, { request_id: 'r'.repeat(REQUEST_ID_LENGTH_MAX + 1) }],
    ['request_id', checkpoint, { request_id: {} }],
    ['created_at', decision, { created_at: '2026-02-30T00:00:00.000000Z' }],
    ['created_at', checkpoint, { created_at: {} }],
    ['action', decision, { action: '' }],
    ['action', decision, { action: 'a'.repeat(NAME_LENGTH_MAX + 1) }],
    ['agent_id', decision, { agent_id: ['a'] }],
    ['metadata', decision, { metadata: null }],
    ['metadata', decision, { metadata: [] }],
    ['actor', decision, { actor: null }],
    ['actor.source', decision, { actor: { principal: 'a' } }],
    ['decision', decision, { decision: null }],
    ['decision.reason', decision, { decision: { ...block, reason: null } }],
    ['decision.reason', decision, { decision: { ...block, reason: 'r'.repeat(REASON_LENGTH_MAX + 1) } }],
    ['decision.reason_code', decision, { decision: { ...block, reason_code: undefined } }],
    ['decision.policy_id', decision, { decision: { ...block, policy_id: null } }],
    ['decision.policy_hash', decision, { decision: { ...block, policy_hash: '' } }],
    ['decision.decision_hash', decision, { decision: { ...block, decision_hash: 'x' } }],
    ['decision.effect', decision, { decision: { ...block, effect: 'require_approval' } }],
    ['decision.effect', decision, { decision: { ...block, effect: undefined } }],
    ['approval', decision, { approval: 'yes' }],
    ['approval.state', decision, { approval: { ...approvalOf(draft), state: '' } }],
    ['approval.approver_id', decision, { approval: { ...approvalOf(draft), approver_id: undefined } }],
    ['approval.expires_at', decision, { approval: { ...approvalOf(draft), expires_at: 7 } }],
    ['approval.binding', decision, { approval: { ...approvalOf(draft), binding: 'me' } }],
    [
      'approval.binding.decision_hash',
      decision,
      { approval: { ...approvalOf(draft), binding: { request_id: 'r', policy_hash: 'p' } } },
    ],
    ['budget.cost', decision, { budget: { ...budget, cost: 1.5 } }],
    ['budget.cost', decision, { budget: { ...budget, cost: -1 } }],
    ['budget.cost', decision, { budget: { ...budget, cost: 1e300 } }],
    ['budget.window_seconds', decision, { budget: { ...budget, window_seconds: Number.POSITIVE_INFINITY } }],
    ['budget.checked', decision, { budget: { ...budget, checked: 'yes' } }],
    ['parameters', decision, { parameters: undefined }],
    ['parameters.args', decision, { parameters: { args: {}, kwargs: {} } }],
    ['parameters.kwargs', decision, { parameters: { args: [], kwargs: [] } }],
    ['parameters', decision, { parameters: { args: [], kwargs: {}, more: 1 } }],
    ['outcome', outcome, { outcome: undefined }],
    ['outcome.status', outcome, { outcome: { ...(outcome.outcome as object), status: 'unknown' } }],
    ['outcome.error', outcome, { outcome: { ...(outcome.outcome as object), error: 7 } }],
  ])('complains about %s', (field, entry, change) => expect(misfit(entry, change)).toBe(field))

  it('takes no field from a prototype', () => {
    const { action: _, ...rest } = decision
    expect(checkEntry(Object.assign(Object.create({ action: 'inherited' }), rest))).toEqual({
      code: 'ENTRY_INVALID',
      field: 'action',
    })
  })
})

describe('isCallEntry', () => {
  it('tells calls from control entries', () => {
    expect([decision, outcome, checkpoint].map((entry) => isCallEntry(entry as unknown as LedgerEntry))).toEqual([
      true,
      true,
      false,
    ])
  })
})
