// The short number of a call, kept beside the positions of its entries: the first 48 bits of SHA-256(request id). Two calls may share one.
import { sha256 } from '@sudoagent/crypto'

/** A call has two entries. More share its number by chance alone, or because somebody made them; so many are looked at. */
export const POSITIONS_OF_CALL_MAX = 64

export function callNumber(requestId: string): number {
  const hash = sha256(new TextEncoder().encode(requestId))
  return (
    new DataView(hash.buffer, hash.byteOffset).getUint16(0) * 2 ** 32 +
    new DataView(hash.buffer, hash.byteOffset).getUint32(2)
  )
}
