/**
 * The hashes of a call, recomputed from what an approver is shown. Every client that approves calls shows exactly the
 * values below, recomputes the hashes from the values that it shows, and refuses to ask if one differs.
 *
 *     decision_hash   covers requestId, decisionAt, policyHash, action, actor and parameters
 *     authority_hash  covers authority: SHA-256 of its canonical form, or null without an authority
 *
 * The policy's reason, the cost, the budget that is left and the time limit are covered by neither.
 */
import type { Hash } from '../bytes/hash.js'
import { encodeCanonical, type JsonValue } from '../json.js'
import { type Authority, hashAuthority } from './authority.js'
import { type DecisionFacts, hashDecisionFacts, normalFacts } from './decision-hash.js'

/** The values of a call that an approver is shown. */
export interface ShownCall extends DecisionFacts {
  /** As in the entry: redacted, and with every value in its recorded form. */
  readonly parameters: {
    readonly args: readonly JsonValue[]
    readonly kwargs: Readonly<Record<string, JsonValue>>
  }
  /** For whom the agent calls; null if nothing is known. */
  readonly authority: Authority | null
}

export interface CallHashes {
  readonly decisionHash: Hash
  /** Null for a call without an authority. */
  readonly authorityHash: Hash | null
}

/**
 * Computes the hashes of a call. All texts are converted to NFC, as in the entry.
 *
 * @throws CryptoError VALUE_REFUSED if the parameters or the authority have no canonical form
 * @example hashShownCall({ ...call, authority: { tenant: 'acme' } }).authorityHash
 *   // SHA-256 of {"tenant":"acme"}
 */
export function hashShownCall({ parameters, authority, ...facts }: ShownCall): CallHashes {
  const { args, kwargs } = parameters
  return {
    decisionHash: hashDecisionFacts(normalFacts(facts), encodeCanonical({ args, kwargs })),
    authorityHash: hashAuthority(authority),
  }
}
