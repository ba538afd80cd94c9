// The hashes of a tile (C2SP tlog-tiles) out of what a database holds, for every store that keeps tiles. What it holds may be anything.
import { HASH_BYTES, hexToBytes, isHash, leafHash } from '@sudoagent/crypto'
import { LedgerError } from '../error.js'

/**
 * The leaf hashes of `count` entries, one behind the other.
 *
 * @param hashes - their `entry_hash`, as they were found
 * @throws LedgerError LEDGER_DAMAGED when one is missing or is no hash
 */
export function leavesOf(hashes: readonly unknown[], count: number): Buffer {
  if (hashes.length !== count) throw treeDamaged()
  return Buffer.concat(
    hashes.map((hash) => {
      if (!isHash(hash)) throw treeDamaged()
      return leafHash(hexToBytes(hash))
    }),
  )
}

/**
 * A tile with one hash more. What stands behind its place is of entries that were caught up with before, and have no head yet.
 *
 * @throws LedgerError LEDGER_DAMAGED when the hashes before it are not there
 */
export function withHash(tile: unknown, slot: number, hash: Uint8Array): Buffer {
  const before = slot === 0 ? new Uint8Array(0) : tile
  if (!(before instanceof Uint8Array) || before.length < slot * HASH_BYTES) throw treeDamaged()
  return Buffer.concat([before.subarray(0, slot * HASH_BYTES), hash])
}

export const treeDamaged = (): LedgerError =>
  new LedgerError('LEDGER_DAMAGED', 'the stored tree of the ledger is not whole', {
    hint: 'run `sudoagent verify` on it',
  })
