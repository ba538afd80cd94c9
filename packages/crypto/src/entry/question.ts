/**
 * The block of an `asked` entry: the question whether a call may run, recorded before an approver is asked.
 *
 *     {"action":"refund","agent_id":"bot","approval_id":"r-1","authority_hash":null,"decision_at":"…",
 *      "decision_hash":"…","expires_at":"…","kind":"asked","policy_hash":"…","redacted":0,"request_id":"r-1",
 *      "requirement":{"assurance":"asserted","factors":[…],"registry_hash":null,"rule":null}}
 *
 * The block has the hashes of the call, but not its arguments. A verifier compares it with the entries before it, and
 * the decision with it.
 */
import { type Hash, isHash } from '../bytes/hash.js'
import { type Authority, authorityMisfit, authorityRows, hashAuthority } from './authority.js'
import { type Commitment, commitmentMisfit } from './commitment.js'
import { type Fields, own, text } from './fields.js'
import { type Requirement, requirementMisfit, requirementRows } from './requirement.js'
import { NAME_LENGTH_MAX, REQUEST_ID_LENGTH_MAX } from './shape.js'
import { hasControlSize } from './stop.js'
import { elapsedMs, isTimestamp } from './timestamp.js'

/** Maximum time between a question and its deadline, in milliseconds: 7 days. */
export const QUESTION_TTL_MS_MAX = 604_800_000

/** A question that is recorded before an approver is asked. */
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

const isName = text(NAME_LENGTH_MAX, 1)
const isRequestId = text(REQUEST_ID_LENGTH_MAX, 1)

/** Whether a value is the number of redacted values of a call. */
export const isRedactedCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)

/** Whether a block has the form of a question, and its hash of the authority fits. */
export function isAsked(block: Fields): boolean {
  const [requestId, authority] = [own(block, 'request_id'), own(block, 'authority')]
  if (authorityMisfit(authority) !== null) return false
  return (
    isRequestId(requestId) &&
    own(block, 'approval_id') === requestId &&
    isTimestamp(own(block, 'decision_at')) &&
    isTimestamp(own(block, 'expires_at')) &&
    isHash(own(block, 'decision_hash')) &&
    own(block, 'authority_hash') === hashAuthority((authority as Authority | undefined) ?? null) &&
    ['policy_hash', 'action', 'agent_id'].every((name) => isName(own(block, name))) &&
    requirementMisfit(own(block, 'requirement')) === null &&
    isRedactedCount(own(block, 'redacted')) &&
    commitmentMisfit(own(block, 'commitment')) === null &&
    hasControlSize(block)
  )
}

/**
 * Whether the deadline of a question is 1 ms to 7 days after its entry.
 *
 * @param recordedAt - `recorded_at` of the entry; null if the entry has none
 */
export function hasTimeToAnswer({ expires_at: expiresAt }: Asked, recordedAt: string | null): boolean {
  if (recordedAt === null) return false
  const ttlMs = elapsedMs(recordedAt, expiresAt)
  return ttlMs >= 1 && ttlMs <= QUESTION_TTL_MS_MAX
}

/** A question as rows for people: a name, and an unescaped value. Rows without a name continue the one before. */
export function questionRows(asked: Asked): [name: string, value: string][] {
  return [
    ['request', asked.request_id],
    ['action', asked.action],
    ['agent', asked.agent_id],
    ...authorityRows(asked.authority ?? {}),
    ...requirementRows(asked.requirement),
    ['redacted', redactedText(asked.redacted)],
    ['expires', asked.expires_at],
  ]
}

/**
 * The number of redacted values of a question in words, which an approver shows before the question.
 *
 * @example redactedText(2) // '2 values are not shown as the call gets them'
 */
export function redactedText(count: number): string {
  return count === 1
    ? '1 value is not shown as the call gets it'
    : `${count} values are not shown as the call gets them`
}
