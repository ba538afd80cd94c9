// One guarded call under decision: its facts, which are fixed before the approval, and its ledger entries.
import type { Hash } from '@sudoagent/crypto'
import type { EntryDraft } from '@sudoagent/ledger'
import {
  type Actor,
  type ApprovalBlock,
  type BudgetBlock,
  decisionHash,
  formatTimestamp,
  type JsonObject,
  type OutcomeBlock,
  type Parameters,
} from '@sudoagent/ledger/entry'
import { type CallContext, noticeOf, parametersOf } from '../policy/context.js'
import type { PolicyIdentity } from '../policy/policy.js'

/** The facts of a call: agent, action, parameters, policy and time. `decisionHash` covers all of them. */
export interface DecisionRequest {
  readonly context: CallContext
  readonly parameters: Parameters
  readonly policy: PolicyIdentity
  readonly actor: Actor
  /** A ledger timestamp; `created_at` of the decision entry. */
  readonly decisionAt: string
  readonly decisionHash: Hash
}

/**
 * Fixes the facts of a call.
 *
 * @throws CryptoError VALUE_REFUSED when the context has no canonical form, which `buildContext` prevents
 */
export function requestDecision(context: CallContext, policy: PolicyIdentity, now: Date): DecisionRequest {
  const { requestId, action, agentId } = context
  const parameters = parametersOf(context)
  const actor: Actor = { principal: agentId, source: 'node' }
  const decisionAt = formatTimestamp(now)
  const facts = { requestId, decisionAt, policyHash: policy.policyHash, action, actor }
  return Object.freeze({
    context,
    parameters,
    policy,
    actor,
    decisionAt,
    decisionHash: decisionHash(facts, parameters),
  })
}

/** The result of the steps two to five. */
export interface Decision {
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reasonCode: string
  readonly approval: ApprovalBlock | null
  readonly budget: BudgetBlock | null
}

/**
 * The decision entry of LEDGER-FORMAT §2. The members of `extra` are added to the caller's metadata under reserved
 * names.
 */
export function decisionDraft(request: DecisionRequest, ruling: Decision, extra: JsonObject = {}): EntryDraft {
  const { context, actor, parameters, policy, decisionAt } = request
  // Members are listed one by one in canonical order: the encoder then has nothing to sort, and spreading an object
  // costs as much as encoding it.
  return {
    action: context.action,
    actor,
    agent_id: context.agentId,
    approval: ruling.approval,
    budget: ruling.budget,
    created_at: decisionAt,
    decision: {
      decision_hash: request.decisionHash,
      effect: ruling.effect,
      policy_hash: policy.policyHash,
      policy_id: policy.policyId,
      policy_version: policy.policyVersion,
      reason: ruling.reason,
      reason_code: ruling.reasonCode,
    },
    event: 'decision',
    metadata: { ...context.metadata, ...concealedMember(context), ...extra },
    parameters,
    request_id: context.requestId,
  }
}

/** The concealed parts of the parameters, with their lengths, for readers of the entry. */
function concealedMember(context: CallContext): JsonObject {
  const { concealed } = noticeOf(context)
  return concealed.length === 0
    ? {}
    : { concealed: concealed.map(({ path, kind, length }) => ({ path, kind, length })) }
}

/** The outcome entry for an allowed decision. */
export function outcomeDraft(request: DecisionRequest, ruling: Decision, outcome: OutcomeBlock, now: Date): EntryDraft {
  const { context, actor, parameters, policy } = request
  return {
    action: context.action,
    actor,
    agent_id: context.agentId,
    created_at: formatTimestamp(now),
    decision: {
      decision_hash: request.decisionHash,
      policy_hash: policy.policyHash,
      policy_id: policy.policyId,
      policy_version: policy.policyVersion,
      reason: ruling.reason,
      reason_code: ruling.reasonCode,
    },
    event: 'outcome',
    outcome,
    parameters,
    request_id: context.requestId,
  }
}
