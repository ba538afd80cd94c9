// Formats ledger timestamps. `timestamp.ts` in the crypto package parses them.
import { timestampMs } from '@sudoagent/crypto/entry'

export { isTimestamp, timestampMs } from '@sudoagent/crypto/entry'

/** Tolerance for clock differences on one machine and for waiting on the ledger lock, in milliseconds. */
const CREATED_GRACE_MS = 60_000

/**
 * Whether `created_at` is so long after `recorded_at` that the clocks must have disagreed. Both are ledger
 * timestamps.
 */
export function isCreatedLate(createdAt: string, recordedAt: string): boolean {
  return createdAt > recordedAt && timestampMs(createdAt) > timestampMs(recordedAt) + CREATED_GRACE_MS
}

/** The latest result is cached: the entries of a group are usually created in the same millisecond. */
let last = { ms: Number.NaN, text: '' }

/**
 * Formats a date as a ledger timestamp. A JavaScript date has millisecond resolution, so the last three digits are
 * zero.
 *
 * @throws RangeError for an invalid date or a year outside 0–9999
 * @example formatTimestamp(new Date(0)) // '1970-01-01T00:00:00.000000Z'
 */
export function formatTimestamp(date: Date): string {
  const ms = date.getTime()
  if (ms === last.ms) return last.text
  const iso = date.toISOString()
  if (iso.length !== 24) throw new RangeError(`the year of ${iso} does not have four digits`)
  last = { ms, text: `${iso.slice(0, 23)}000Z` }
  return last.text
}
