import { CryptoError } from '../error.js'
import { isTreeHash, nodeHash } from './merkle.js'
import { completeSubtrees, type NodePlace } from './path.js'

/**
 * Reads one hash of a stored tree: the root of the complete subtree over the leaves from index·2^level on. It is
 * called with levels 0 to 52, only for subtrees that are complete in the tree, about 2·log2(size) times for a
 * proof, in any order. Stores of trees implement this function (or `TileReader`); it may return a promise.
 */
export type HashReader = (level: number, index: number) => Uint8Array | Promise<Uint8Array>

/**
 * The hash of a node in the tree of `size` leaves. An incomplete node, which has no fixed hash and is not stored,
 * is computed from the complete subtrees below it.
 *
 * @throws CryptoError `TREE_INVALID` when the reader does not return 32 bytes; errors of the reader
 */
export async function readNode(place: NodePlace, size: number, readHash: HashReader): Promise<Uint8Array> {
  const width = 2 ** place.level
  const start = place.index * width
  return foldRight(await readSubtrees(completeSubtrees(start, Math.min(size, start + width)), readHash))
}

/** The hashes at the given positions, in order. */
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

/** The hash over consecutive complete subtrees of decreasing size. At least one is required. */
export function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}
