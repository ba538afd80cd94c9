// Timestamps of the ledger, as a writer makes them. How they are read: `timestamp.ts` of the crypto package.
import { timestampMs } from '@sudoagent/crypto'

export { isTimestamp, timestampMs } from '@sudoagent/crypto'

/** Clocks of one machine, and a wait for the ledger's lock, differ by less, in milliseconds. */
const CREATED_GRACE_MS = 60_000

/** Whether an entry names a creation so long after its recording that the clocks did not agree. Both are timestamps. */
export function isCreatedLate(createdAt: string, recordedAt: string): boolean {
  return createdAt > recordedAt && timestampMs(createdAt) > timestampMs(recordedAt) + CREATED_GRACE_MS
}

/** The last one that was made: entries of a group are of the same millisecond. */
let last = { ms: Number.NaN, text: '' }

/**
 * A ledger timestamp for a moment. Node's clock has milliseconds; the last three digits are zero.
 *
 * @throws RangeError for an invalid date or a year outside 0–9999
 * @example formatTimestamp(new Date(0)) // '1970-01-01T00:00:00.000000Z'
 */
export function formatTimestamp(date: Date): string {
  const ms = date.getTime()
  if (ms === last.ms) return last.text
  const iso = date.toISOString()
  if (iso.length !== 24) throw new RangeError(`year of ${iso} has no four digits`)
  last = { ms, text: `${iso.slice(0, 23)}000Z` }
  return last.text
}
