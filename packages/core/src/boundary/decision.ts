// One guarded call under decision: its facts, fixed before anybody is asked, and the entries that they make.
import type { Hash } from '@sudoagent/crypto'
import {
  type Actor,
  type ApprovalBlock,
  type BudgetBlock,
  decisionHash,
  type EntryDraft,
  formatTimestamp,
  type JsonObject,
  type OutcomeBlock,
  type Parameters,
} from '@sudoagent/ledger'
import { type CallContext, noticeOf, parametersOf } from '../policy/context.js'
import type { PolicyIdentity } from '../policy/policy.js'

/** What is asked: by whom, to do what, with which parameters, under which policy, and when. `decisionHash` binds all of it. */
export interface DecisionRequest {
  readonly context: CallContext
  readonly parameters: Parameters
  readonly policy: PolicyIdentity
  readonly actor: Actor
  /** Ledger timestamp; `created_at` of the decision entry. */
  readonly decisionAt: string
  readonly decisionHash: Hash
}

/** Fixes the facts. @throws CryptoError VALUE_REFUSED when the context has no canonical form (a context that was built by us has one) */
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

/** What was decided. */
export interface Decision {
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reasonCode: string
  readonly approval: ApprovalBlock | null
  readonly budget: BudgetBlock | null
}

/** The decision entry of LEDGER-FORMAT §2. `extra` joins the caller's metadata under names of ours. */
export function decisionDraft(request: DecisionRequest, ruling: Decision, extra: JsonObject = {}): EntryDraft {
  const { context, actor, parameters, policy, decisionAt } = request
  // In canonical order, and member by member: nothing is left to sort, and to spread an object costs as much as to encode it.
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

/** What is not shown of the parameters: readers of the entry are told how many characters. */
function concealedMember(context: CallContext): JsonObject {
  const { concealed } = noticeOf(context)
  return concealed.length === 0
    ? {}
    : { concealed: concealed.map(({ path, kind, length }) => ({ path, kind, length })) }
}

/** The outcome entry that belongs to an allowed decision. */
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
