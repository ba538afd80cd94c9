import { hashDecisionFacts } from '@sudoagent/crypto/entry'
import type { CallText } from './line-facts.js'

/** The part of a decision that is compared with its outcome. */
export interface DecidedCall {
  readonly createdAt: string
  readonly agentId: string
  /** The full text over which `decision_hash` was computed, if still available. */
  readonly text?: CallText
}

/**
 * Whether an outcome and its decision describe the same call: the agent is the same, and recomputing `decision_hash`
 * from the outcome gives the same hash.
 */
export function describesCall(outcome: CallText, decided: DecidedCall, decisionHash: string): boolean {
  // Equal texts have equal hashes, so hashing is not needed.
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
