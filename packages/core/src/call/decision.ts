// Collects and freezes the facts of one guarded call, and builds the ledger entries of the call.
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
import { type CheckedAuthority, NO_AUTHORITY } from '../authority/authority.js'
import type { BoundParameters } from '../commitment/bound-parameters.js'
import { type CallContext, noticeOf, parametersOf } from '../policy/context.js'
import type { PolicyIdentity } from '../policy/policy.js'

/** The facts of a call: agent, action, parameters, policy and time. `decisionHash` covers all these facts. */
export interface DecisionRequest {
  readonly context: CallContext
  readonly parameters: Parameters
  readonly policy: PolicyIdentity
  readonly actor: Actor
  /** The checked authority of the call. */
  readonly authority: CheckedAuthority
  /** The commitment to the parameters before redaction. */
  readonly bound: BoundParameters | null
  /** A ledger timestamp: `created_at` in the decision entry. */
  readonly decisionAt: string
  readonly decisionHash: Hash
}

/**
 * Collects and freezes the facts of a call.
 *
 * @param decisionAt - a ledger timestamp
 * @throws CryptoError VALUE_REFUSED if the context does not have a canonical form, which `buildContext` prevents
 */
export function requestDecision(
  context: CallContext,
  policy: PolicyIdentity,
  decisionAt: string,
  authority: CheckedAuthority = NO_AUTHORITY,
  bound: BoundParameters | null = null,
): DecisionRequest {
  const { requestId, action, agentId } = context
  const parameters = parametersOf(context)
  const actor: Actor = { principal: agentId, source: 'node' }
  const facts = { requestId, decisionAt, policyHash: policy.policyHash, action, actor }
  return Object.freeze({
    context,
    parameters,
    policy,
    actor,
    authority,
    bound,
    decisionAt,
    decisionHash: decisionHash(facts, parameters),
  })
}

/** The result of steps two to five. */
export interface Decision {
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reasonCode: string
  readonly approval: ApprovalBlock | null
  readonly budget: BudgetBlock | null
}

/**
 * Builds the decision entry (LEDGER-FORMAT §2). The members of `extra` are added to the caller's metadata under
 * reserved names.
 */
export function decisionDraft(request: DecisionRequest, ruling: Decision, extra: JsonObject = {}): EntryDraft {
  const { context, actor, bound, parameters, policy, decisionAt } = request
  const { authority } = request.authority
  // The members are listed individually in canonical order, for speed: the encoder does not need to sort them, and
  // spreading an object would cost as much as encoding it.
  return {
    action: context.action,
    actor,
    agent_id: context.agentId,
    approval: ruling.approval,
    ...(authority === null ? {} : { authority }),
    budget: ruling.budget,
    ...(bound === null ? {} : { commitment: bound.commitment }),
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
    metadata: { ...recordedMetadata(request), ...extra },
    parameters,
    request_id: context.requestId,
  }
}

/** The metadata of a call as its decision records it, without the members that a refusal adds. */
export function recordedMetadata({ context, authority: { call } }: DecisionRequest): JsonObject {
  return { ...context.metadata, ...concealedMember(context), ...(call === null ? {} : { call }) }
}

/** Lists the concealed parts of the parameters with their lengths, for people who read the entry. */
function concealedMember(context: CallContext): JsonObject {
  const { concealed } = noticeOf(context)
  return concealed.length === 0
    ? {}
    : { concealed: concealed.map(({ path, kind, length }) => ({ path, kind, length })) }
}

/** Builds the outcome entry for an allowed decision. */
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
