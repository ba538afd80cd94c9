import { hashDecisionFacts } from '@sudoagent/crypto/entry'
import type { CallText } from './line-facts.js'

/** The data of a decision that its outcome is compared with. */
export interface DecidedCall {
  readonly createdAt: string
  readonly agentId: string
  /** The full text of the decision, if still available; `decision_hash` was computed over it. */
  readonly text?: CallText
}

/**
 * Whether an outcome describes the call of its decision: the agent is the same, and `decision_hash` can be
 * recomputed from the outcome.
 */
export function describesCall(outcome: CallText, decided: DecidedCall, decisionHash: string): boolean {
  // Equal texts have equal hashes, so there is no need to hash.
  if (decided.text !== undefined && isSameText(decided.text, outcome)) return true
  const { agentId, principal, source, parameters, ...call } = outcome
  const facts = { ...call, actor: { principal, source }, decisionAt: decided.createdAt }
  return decided.agentId === agentId && hashDecisionFacts(facts, parameters) === decisionHash
}

const isSameText = (a: CallText, b: CallText): boolean =>
  a.parameters === b.parameters &&
  a.action === b.action &&
  a.agentId === b.agentId &&
  a.principal === b.principal &&
  a.source === b.source &&
  a.policyHash === b.policyHash &&
  a.requestId === b.requestId
