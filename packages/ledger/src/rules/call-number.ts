// The short number of a call, kept beside the positions of its entries: the first 48 bits of SHA-256(request id). Two calls may share one.
import { sha256Hex } from '@sudoagent/crypto'

/** A call has two entries. More share its number by chance alone, or because somebody made them; so many are looked at. */
export const POSITIONS_OF_CALL_MAX = 64

/** The two entries of a call are written one soon after the other: so many numbers are kept. */
const KEPT_MAX = 1_024

const kept = new Map<string, number>()

/** Whoever will need it under a lock asks for it before: then it is only looked up. */
export function callNumber(requestId: string): number {
  const known = kept.get(requestId)
  if (known !== undefined) return known
  const number = Number.parseInt(sha256Hex(requestId.toWellFormed()).slice(0, 12), 16)
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(requestId, number)
  return number
}
