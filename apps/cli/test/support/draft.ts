// Creates the entries that an engine writes, as input for the commands.
import { type Hash, sha256Hex } from '@sudoagent/crypto'
import type { EntryDraft } from '@sudoagent/ledger'
import { decisionHash, formatTimestamp, type JsonObject } from '@sudoagent/ledger/entry'

export interface CallFacts {
  /** Identifies the call, and is also the second of the minute at which the call happened. */
  readonly n: number
  readonly action?: string
  readonly agentId?: string
  readonly effect?: 'allow' | 'deny'
  readonly reason?: string
  readonly reasonCode?: string
  readonly kwargs?: JsonObject
  /** If set, the entry records an approval by this person. */
  readonly approverId?: string
  readonly cost?: number
}

const POLICY_HASH = sha256Hex('policy')
const START_MS = Date.parse('2026-11-22T20:00:00Z')

/** Returns a UUIDv4 that contains the call number. */
export function requestIdOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
}

const timeOf = (n: number, ms = 0): string => formatTimestamp(new Date(START_MS + n * 1000 + ms))

export function decisionHashOf(facts: CallFacts): Hash {
  const { n, action = 'refund_user', agentId = 'support-bot', kwargs = { n } } = facts
  return decisionHash(
    {
      requestId: requestIdOf(n),
      decisionAt: timeOf(n),
      policyHash: POLICY_HASH,
      action,
      actor: { principal: agentId, source: 'node' },
    },
    { args: [], kwargs },
  )
}

export function decisionDraft(facts: CallFacts): EntryDraft {
  const {
    n,
    action = 'refund_user',
    agentId = 'support-bot',
    effect = 'allow',
    reason = 'within limit',
    kwargs = { n },
  } = facts
  const hash = decisionHashOf(facts)
  const requestId = requestIdOf(n)
  return {
    event: 'decision',
    request_id: requestId,
    created_at: timeOf(n),
    action,
    agent_id: agentId,
    actor: { principal: agentId, source: 'node' },
    decision: {
      effect,
      reason,
      reason_code: facts.reasonCode ?? (effect === 'allow' ? 'POLICY_ALLOW_LOW_RISK' : 'POLICY_DENY_HIGH_RISK'),
      policy_id: 'refunds',
      policy_version: '1',
      policy_hash: POLICY_HASH,
      decision_hash: hash,
    },
    approval:
      facts.approverId === undefined
        ? null
        : {
            approval_id: requestId,
            state: 'approved',
            approver_id: facts.approverId,
            created_at: timeOf(n),
            resolved_at: timeOf(n),
            // The approval must not expire before the test records the entry.
            expires_at: '2999-01-01T00:00:00.000000Z',
            binding: { request_id: requestId, policy_hash: POLICY_HASH, decision_hash: hash },
          },
    budget:
      facts.cost === undefined
        ? null
        : { budget_key: null, agent_id: agentId, action, cost: facts.cost, window_seconds: 3600, checked: true },
    parameters: { args: [], kwargs },
  }
}

export function outcomeDraft(facts: CallFacts, error?: { type: string; message: string }): EntryDraft {
  const decision = decisionDraft(facts)
  const { effect: _effect, ...block } = decision.decision
  return {
    ...decision,
    event: 'outcome',
    created_at: timeOf(facts.n, 250),
    decision: block,
    outcome: {
      status: error === undefined ? 'success' : 'error',
      reason: null,
      reason_code: null,
      error_type: error?.type ?? null,
      error: error?.message ?? null,
    },
  }
}
