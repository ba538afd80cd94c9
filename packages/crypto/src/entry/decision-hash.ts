/**
 * The hash that binds a decision to one call: who asked for what, with which parameters, when, under which policy.
 *
 *     decision_hash = SHA-256(canonical {actor, decision_at, intent, parameters, policy_hash, request_id, resource, version})
 *
 * Everything in it stands in the decision's entry, so whoever holds the entry can compute it again.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

const quote = (text: string): string => JSON.stringify(text)

/** The parts of a decision that `decision_hash` binds. */
export interface DecisionFacts {
  readonly requestId: string
  readonly decisionAt: string
  readonly policyHash: string
  readonly action: string
  readonly actor: { readonly principal: string; readonly source: string }
}

/** `decision_hash` of facts beside parameters that are canonical text already. */
export function hashDecisionFacts(facts: DecisionFacts, parametersText: string): Hash {
  const action = quote(facts.action)
  return sha256Hex(
    `{"actor":{"principal":${quote(facts.actor.principal)},"source":${quote(facts.actor.source)}}` +
      `,"decision_at":${quote(facts.decisionAt)},"intent":${action},"parameters":${parametersText}` +
      `,"policy_hash":${quote(facts.policyHash)},"request_id":${quote(facts.requestId)}` +
      `,"resource":{"name":${action},"type":"function"},"version":"2.0"}`,
  )
}
