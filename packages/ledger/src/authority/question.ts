// The block of an `asked` entry (LEDGER-FORMAT §5): the question whether a call may run, recorded before anybody is
// asked.
//
//   {"action":"refund","agent_id":"bot","approval_id":"r-1","authority_hash":null,"decision_at":"…",
//    "decision_hash":"…","expires_at":"…","kind":"asked","policy_hash":"…","redacted":0,"request_id":"r-1",
//    "requirement":{"assurance":"asserted","factors":[{"approvals":1,"group":null}],"registry_hash":null,"rule":null}}
//
// The block has the hashes of the call, but not its arguments. `standing/questions.ts` compares it with the entries
// before it, and the decision with it.
import type { Hash } from '@sudoagent/crypto'
import { isHash } from '@sudoagent/crypto'
import {
  type Authority,
  authorityMisfit,
  type Commitment,
  commitmentMisfit,
  hashAuthority,
  isTimestamp,
  NAME_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
  type Requirement,
  requirementMisfit,
} from '@sudoagent/crypto/entry'

/** A question that is recorded before anybody is asked. */
export interface Asked {
  readonly kind: 'asked'
  /** The same as `request_id`. */
  readonly approval_id: string
  readonly request_id: string
  /** `created_at` of the decision. */
  readonly decision_at: string
  readonly decision_hash: Hash
  readonly authority?: Authority
  /** SHA-256 of the canonical authority; null without one. */
  readonly authority_hash: Hash | null
  readonly policy_hash: string
  readonly action: string
  readonly agent_id: string
  readonly requirement: Requirement
  /** How many values and keys of the call are recorded as something other than themselves. */
  readonly redacted: number
  readonly commitment?: Commitment
  /** Set by the writer: 1 ms to 7 days after `recorded_at`. */
  readonly expires_at: string
}

type Fields = { readonly [name: string]: unknown }

const isText = (value: unknown, maxLength: number): boolean =>
  typeof value === 'string' && value.length >= 1 && value.length <= maxLength

/** Whether a block has the form of a question, and its hash of the authority fits. */
export function isAsked(block: Fields): boolean {
  const own = (name: string): unknown => (Object.hasOwn(block, name) ? block[name] : undefined)
  const [requestId, authority, redacted] = [own('request_id'), own('authority'), own('redacted')]
  if (authorityMisfit(authority) !== null) return false
  return (
    isText(requestId, REQUEST_ID_LENGTH_MAX) &&
    own('approval_id') === requestId &&
    isTimestamp(own('decision_at')) &&
    isTimestamp(own('expires_at')) &&
    isHash(own('decision_hash')) &&
    own('authority_hash') === hashAuthority((authority as Authority | undefined) ?? null) &&
    ['policy_hash', 'action', 'agent_id'].every((name) => isText(own(name), NAME_LENGTH_MAX)) &&
    requirementMisfit(own('requirement')) === null &&
    Number.isSafeInteger(redacted) &&
    (redacted as number) >= 0 &&
    commitmentMisfit(own('commitment')) === null
  )
}
