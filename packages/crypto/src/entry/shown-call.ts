/**
 * The hashes of a call, recomputed from what an approver is shown. Every client that approves calls shows exactly the
 * values below, recomputes the hashes from the values that it shows, and refuses to ask if one differs.
 *
 *     decision_hash     covers requestId, decisionAt, policyHash, action, actor and parameters
 *     authority_hash    covers authority: SHA-256 of its canonical form, or null without an authority
 *     requirement_hash  covers requirement, likewise
 *
 * None of them covers the policy's reason, the cost, the budget that is left and the time limit.
 */
import type { Hash } from '../bytes/hash.js'
import { encodeCanonical, type JsonValue } from '../json.js'
import { type Authority, hashAuthority } from './authority.js'
import { type DecisionFacts, hashDecisionFacts, normalFacts } from './decision-hash.js'
import { hashRequirement, type Requirement } from './requirement.js'

/** The values of a call that an approver is shown. */
export interface ShownCall extends DecisionFacts {
  /** As in the entry: redacted, and with every value in its recorded form. */
  readonly parameters: {
    readonly args: readonly JsonValue[]
    readonly kwargs: Readonly<Record<string, JsonValue>>
  }
  /** For whom the agent calls; null if nothing is known. */
  readonly authority: Authority | null
  /** The approvals that the call needs; null for a call whose ledger does not record questions. */
  readonly requirement: Requirement | null
}

export interface CallHashes {
  readonly decisionHash: Hash
  /** Null for a call without an authority. */
  readonly authorityHash: Hash | null
  /** Null for a call without a requirement. */
  readonly requirementHash: Hash | null
}

/**
 * Computes the hashes of a call. All texts are converted to NFC, as in the entry.
 *
 * @throws CryptoError VALUE_REFUSED if the parameters, the authority or the requirement have no canonical form
 * @example hashShownCall({ ...call, authority: { tenant: 'acme' }, requirement: null }).authorityHash
 *   // SHA-256 of {"tenant":"acme"}
 */
export function hashShownCall({ parameters, authority, requirement, ...facts }: ShownCall): CallHashes {
  const { args, kwargs } = parameters
  return {
    decisionHash: hashDecisionFacts(normalFacts(facts), encodeCanonical({ args, kwargs })),
    authorityHash: hashAuthority(authority),
    requirementHash: requirement === null ? null : hashRequirement(requirement),
  }
}
