/** Whether an approval was used in time: one rule for the verifier of ledgers and the verifier of receipts. */
import { isTimestamp, timestampMs } from './timestamp.js'

/**
 * An approval is consumed before its deadline; the decision entry then waits for the ledger's lock. An entry recorded later than this
 * many milliseconds after the deadline used an approval late. Longer than any lock wait of ours (10 s by default).
 */
export const APPROVAL_USE_GRACE_MS = 60_000

/** The times that an approval has on record, as its entry states them. */
export interface ApprovalTimes {
  readonly resolved_at: string | null
  readonly expires_at: string | null
}

/**
 * Whether an allow came too late for its approval: the approval was resolved after its deadline, or the entry was recorded
 * so long after it that the delay was not a wait for the ledger's lock.
 *
 * @param recordedAt of the entry; null in ledgers of SudoAgent for Python, which do not have it.
 */
export function isApprovalLate({ resolved_at, expires_at }: ApprovalTimes, recordedAt: string | null): boolean {
  if (expires_at === null) return false
  // A deadline that cannot be read cannot have been kept.
  if (!isTimestamp(expires_at)) return true
  if (resolved_at !== null && (!isTimestamp(resolved_at) || resolved_at > expires_at)) return true
  return recordedAt !== null && (!isTimestamp(recordedAt) || isDeadlineOver(expires_at, recordedAt))
}

/**
 * Whether an entry that is recorded at `recordedAt` comes too late for an approval that ended at `expiresAt`. Both are
 * timestamps.
 */
export function isDeadlineOver(expiresAt: string, recordedAt: string): boolean {
  return timestampMs(recordedAt) > timestampMs(expiresAt) + APPROVAL_USE_GRACE_MS
}
