/**
 * The hash that binds a decision to one call: the actor, the action, the parameters, the time and the policy.
 *
 *     decision_hash = SHA-256(canonical
 *       {actor, decision_at, intent, parameters, policy_hash, request_id, resource, version})
 *
 * All of these values are in the decision's entry, so the hash can be recomputed from the entry.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

const quote = (text: string): string => JSON.stringify(text)

/** The parts of a decision that `decision_hash` covers, except the parameters. */
export interface DecisionFacts {
  readonly requestId: string
  readonly decisionAt: string
  readonly policyHash: string
  readonly action: string
  readonly actor: { readonly principal: string; readonly source: string }
}

/** Computes `decision_hash` from the facts and from parameters that are already canonical text. */
export function hashDecisionFacts(facts: DecisionFacts, parametersText: string): Hash {
  const action = quote(facts.action)
  return sha256Hex(
    `{"actor":{"principal":${quote(facts.actor.principal)},"source":${quote(facts.actor.source)}}` +
      `,"decision_at":${quote(facts.decisionAt)},"intent":${action},"parameters":${parametersText}` +
      `,"policy_hash":${quote(facts.policyHash)},"request_id":${quote(facts.requestId)}` +
      `,"resource":{"name":${action},"type":"function"},"version":"2.0"}`,
  )
}
