// The short number of a call, kept beside the positions of its entries: the first 48 bits of SHA-256(request id). Two calls may share one.
import { sha256Hex } from '@sudoagent/crypto'

/** A call has two entries. More share its number by chance alone, or because somebody made them; so many are looked at. */
export const POSITIONS_OF_CALL_MAX = 64

export function callNumber(requestId: string): number {
  return Number.parseInt(sha256Hex(requestId.toWellFormed()).slice(0, 12), 16)
}
