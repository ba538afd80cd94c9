/** Decides whether an approval was used in time. The ledger verifier and the receipt verifier share this rule. */
import { elapsedMs, isTimestamp } from './timestamp.js'

/**
 * The grace period after an approval deadline, in milliseconds, during which the decision may still be recorded.
 * The approval is consumed before its deadline, but the decision entry may then wait for the ledger lock. The grace
 * period is longer than the lock timeout (default: 10 s).
 */
export const APPROVAL_USE_GRACE_MS = 60_000

/** The timestamps of an approval, as stated in its entry. */
export interface ApprovalTimes {
  readonly resolved_at: string | null
  readonly expires_at: string | null
}

/**
 * Reports whether an approval was too late for its call. An approval is too late if it was resolved after its
 * deadline, or if the entry was recorded more than the grace period after the deadline.
 *
 * @param recordedAt - `recorded_at` of the entry; null in ledgers written by SudoAgent for Python, which does not
 *   record this time
 */
export function isApprovalLate({ resolved_at, expires_at }: ApprovalTimes, recordedAt: string | null): boolean {
  if (expires_at === null) return false
  // An invalid deadline counts as missed.
  if (!isTimestamp(expires_at)) return true
  if (resolved_at !== null && (!isTimestamp(resolved_at) || resolved_at > expires_at)) return true
  return recordedAt !== null && (!isTimestamp(recordedAt) || isDeadlineOver(expires_at, recordedAt))
}

/** Reports whether `recordedAt` is more than the grace period after `expiresAt`. Both must be valid timestamps. */
export function isDeadlineOver(expiresAt: string, recordedAt: string): boolean {
  return elapsedMs(expiresAt, recordedAt) > APPROVAL_USE_GRACE_MS
}
