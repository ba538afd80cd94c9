/**
 * The hash that binds a decision to one call. It covers the actor, the action, the parameters, the time and the
 * policy.
 *
 *     decision_hash = SHA-256(canonical
 *       {actor, decision_at, intent, parameters, policy_hash, request_id, resource, version})
 *
 * The decision entry contains all of these values, so a verifier can recompute the hash from the entry.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

const quote = (text: string): string => JSON.stringify(text)

/** The values covered by `decision_hash`, except the parameters. */
export interface DecisionFacts {
  readonly requestId: string
  readonly decisionAt: string
  readonly policyHash: string
  readonly action: string
  readonly actor: { readonly principal: string; readonly source: string }
}

/** Computes `decision_hash` from the facts and from parameters that are already encoded as canonical JSON. */
export function hashDecisionFacts(facts: DecisionFacts, parametersText: string): Hash {
  const action = quote(facts.action)
  return sha256Hex(
    `{"actor":{"principal":${quote(facts.actor.principal)},"source":${quote(facts.actor.source)}}` +
      `,"decision_at":${quote(facts.decisionAt)},"intent":${action},"parameters":${parametersText}` +
      `,"policy_hash":${quote(facts.policyHash)},"request_id":${quote(facts.requestId)}` +
      `,"resource":{"name":${action},"type":"function"},"version":"2.0"}`,
  )
}
