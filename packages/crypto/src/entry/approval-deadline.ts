/** Decides whether an approval was used in time: the common rule of the verifiers of ledgers and receipts. */
import { isTimestamp, timestampMs } from './timestamp.js'

/**
 * The time in milliseconds after an approval's deadline within which its decision may be recorded. An approval is
 * consumed before its deadline, but the decision entry may wait for the ledger's lock; this limit is longer than
 * any such wait (10 s by default).
 */
export const APPROVAL_USE_GRACE_MS = 60_000

/** The times of an approval as its entry states them. */
export interface ApprovalTimes {
  readonly resolved_at: string | null
  readonly expires_at: string | null
}

/**
 * Whether an approval was too late for its call: it was resolved after its deadline, or the entry was recorded so
 * long after the deadline that a wait for the ledger's lock cannot explain the delay.
 *
 * @param recordedAt - of the entry; null in ledgers of SudoAgent for Python, which do not record it
 */
export function isApprovalLate({ resolved_at, expires_at }: ApprovalTimes, recordedAt: string | null): boolean {
  if (expires_at === null) return false
  // An invalid deadline counts as missed.
  if (!isTimestamp(expires_at)) return true
  if (resolved_at !== null && (!isTimestamp(resolved_at) || resolved_at > expires_at)) return true
  return recordedAt !== null && (!isTimestamp(recordedAt) || isDeadlineOver(expires_at, recordedAt))
}

/**
 * Whether an entry recorded at `recordedAt` is too late for an approval with the deadline `expiresAt`. Both must be
 * valid timestamps.
 */
export function isDeadlineOver(expiresAt: string, recordedAt: string): boolean {
  return timestampMs(recordedAt) > timestampMs(expiresAt) + APPROVAL_USE_GRACE_MS
}
