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

/** The facts as an entry has them: every text in NFC. */
export function normalFacts({ requestId, decisionAt, policyHash, action, actor }: DecisionFacts): DecisionFacts {
  const nfc = (text: string): string => text.normalize('NFC')
  return {
    requestId: nfc(requestId),
    decisionAt,
    policyHash: nfc(policyHash),
    action: nfc(action),
    actor: { principal: nfc(actor.principal), source: nfc(actor.source) },
  }
}

/** Computes `decision_hash` from the facts and from parameters that are already encoded as canonical JSON. */
export function hashDecisionFacts(facts: DecisionFacts, parametersText: string): Hash {
  const { requestId, decisionAt, policyHash, action, actor } = facts
  return hashDecisionTexts({
    requestId: quote(requestId),
    decisionAt: quote(decisionAt),
    policyHash: quote(policyHash),
    action: quote(action),
    actor: { principal: quote(actor.principal), source: quote(actor.source) },
    parameters: parametersText,
  })
}

/** Computes `decision_hash` from values that are already encoded as canonical JSON, as in a stored line. */
export function hashDecisionTexts(texts: DecisionFacts & { readonly parameters: string }): Hash {
  const { requestId, decisionAt, policyHash, action, actor, parameters } = texts
  return sha256Hex(
    `{"actor":{"principal":${actor.principal},"source":${actor.source}}` +
      `,"decision_at":${decisionAt},"intent":${action},"parameters":${parameters}` +
      `,"policy_hash":${policyHash},"request_id":${requestId}` +
      `,"resource":{"name":${action},"type":"function"},"version":"2.0"}`,
  )
}
