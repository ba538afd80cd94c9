import { hashDecisionFacts } from '@sudoagent/crypto'
import type { CallText } from './line-facts.js'

/** What is remembered of a decision, to compare its outcome with. */
export interface DecidedCall {
  readonly createdAt: string
  readonly agentId: string
  /** Its whole text, where it is still at hand: `decision_hash` was computed over it. */
  readonly text?: CallText
}

/** Whether an outcome describes the call that was decided on: its `decision_hash` follows from the outcome as well, and the agent is the same. */
export function describesCall(outcome: CallText, decided: DecidedCall, decisionHash: string): boolean {
  // Of equal texts one hash is enough.
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
