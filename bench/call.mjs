// An agent's call: an allowed decision and its outcome, the same in every run.
import { decisionHash } from '../packages/ledger/dist/entry.js'

const POLICY = {
  policy_id: 'refunds:v2',
  policy_version: '2',
  policy_hash: '6bd5cb51a4aea770034d65264a9d081977132de430c65921ac5fb834baa2ee31',
}
const [action, created_at] = ['payments.refund', '2026-01-02T03:04:05.000000Z']
const actor = { principal: 'support-bot', source: 'node' }

/** Call number `n`. */
export function allowedCall(n) {
  const request_id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
  const parameters = {
    args: [],
    kwargs: { order: `ord-${n}`, amount: 25, currency: 'EUR', reason: 'damaged on arrival' },
  }
  const facts = { requestId: request_id, decisionAt: created_at, policyHash: POLICY.policy_hash, action, actor }
  const common = { request_id, created_at, action, agent_id: 'support-bot', actor, parameters, metadata: {} }
  const block = {
    reason: 'within limit',
    reason_code: 'POLICY_ALLOW_LOW_RISK',
    ...POLICY,
    decision_hash: decisionHash(facts, parameters),
  }
  return {
    decision: { ...common, event: 'decision', decision: { effect: 'allow', ...block }, approval: null, budget: null },
    outcome: {
      ...common,
      event: 'outcome',
      decision: block,
      outcome: { status: 'success', reason: null, reason_code: null, error_type: null, error: null },
    },
  }
}
