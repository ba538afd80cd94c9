import { CryptoError } from '../error.js'
import { isTreeHash, nodeHash } from './merkle.js'
import { completeSubtrees, type NodePlace } from './path.js'

/**
 * Reads one hash from a stored tree: the root of the complete subtree of 2^level leaves that starts at leaf
 * index·2^level. A proof calls the reader about 2·log2(size) times, in any order, with levels 0 to 52 and only for
 * complete subtrees. A tree store implements this function or `TileReader`. The function may return a promise.
 */
export type HashReader = (level: number, index: number) => Uint8Array | Promise<Uint8Array>

/**
 * Returns the hash of a node in the tree of `size` leaves. The hash of an incomplete node is not stored, because it
 * changes as the tree grows; it is computed from the complete subtrees below the node.
 *
 * @throws CryptoError `TREE_INVALID` if the reader does not return 32 bytes; errors thrown by the reader
 */
export async function readNode(place: NodePlace, size: number, readHash: HashReader): Promise<Uint8Array> {
  const width = 2 ** place.level
  const start = place.index * width
  return foldRight(await readSubtrees(completeSubtrees(start, Math.min(size, start + width)), readHash))
}

/** Reads the hashes at the given positions, in the same order. */
export function readSubtrees(places: readonly NodePlace[], readHash: HashReader): Promise<Uint8Array[]> {
  return Promise.all(
    places.map(async ({ level, index }) => {
      const hash = await readHash(level, index)
      if (!isTreeHash(hash))
        throw new CryptoError('TREE_INVALID', `no hash is stored at level ${level}, index ${index}`)
      return hash
    }),
  )
}

/**
 * Combines the hashes of consecutive complete subtrees of decreasing size into one hash. Requires at least one
 * hash.
 */
export function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}
