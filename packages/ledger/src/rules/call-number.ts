// Maps a call to a short number, which is stored with the positions of its entries: the first 48 bits of
// SHA-256(request id). Two calls may have the same number.
import { sha256Hex } from '@sudoagent/crypto'

/**
 * Maximum number of entries that are read for one call number. A call has two entries; further entries have the same
 * number by coincidence or because of an attack.
 */
export const POSITIONS_OF_CALL_MAX = 64

/**
 * Maximum number of cached results. The decision and the outcome of a call are usually written soon after each
 * other.
 */
const KEPT_MAX = 1_024

const kept = new Map<string, number>()

/**
 * Returns the number of a call. A caller that needs the number under a lock calls this function before taking the
 * lock, so that the result is cached.
 */
export function callNumber(requestId: string): number {
  const known = kept.get(requestId)
  if (known !== undefined) return known
  const number = Number.parseInt(sha256Hex(requestId.toWellFormed()).slice(0, 12), 16)
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(requestId, number)
  return number
}
