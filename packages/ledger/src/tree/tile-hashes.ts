// Reads the hashes of a tile (C2SP tlog-tiles) from untrusted database values, for every store with tiles.

import { isHash } from '@sudoagent/crypto'
import { hexToBytes } from '@sudoagent/crypto/bytes'
import { HASH_BYTES, leafHash } from '@sudoagent/crypto/tree'
import { LedgerError } from '../error.js'

/**
 * The concatenated leaf hashes of `count` entries.
 *
 * @param hashes - the stored `entry_hash` values, unchecked
 * @throws LedgerError LEDGER_DAMAGED if a value is missing or is not a hash
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
 * Returns a tile with one more hash at `slot`. Old hashes from `slot` on are dropped: they belong to recovered
 * entries that no head covers yet.
 *
 * @throws LedgerError LEDGER_DAMAGED if the tile has fewer than `slot` hashes
 */
export function withHash(tile: unknown, slot: number, hash: Uint8Array): Buffer {
  const before = slot === 0 ? new Uint8Array(0) : tile
  if (!(before instanceof Uint8Array) || before.length < slot * HASH_BYTES) throw treeDamaged()
  return Buffer.concat([before.subarray(0, slot * HASH_BYTES), hash])
}

export const treeDamaged = (): LedgerError =>
  new LedgerError('LEDGER_DAMAGED', 'the stored tree of the ledger is incomplete', {
    hint: 'run `sudoagent verify` on it',
  })
