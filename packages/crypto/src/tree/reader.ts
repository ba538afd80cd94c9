import { CryptoError } from '../error.js'
import { isTreeHash, nodeHash } from './merkle.js'
import { completeSubtrees, type NodePlace } from './path.js'

/**
 * Reads one hash of a stored tree: the root of the complete subtree over the leaves from index·2^level on. Called with
 * levels 0 to 52, only for subtrees that a tree of the size in question has in full, about 2·log2(size) times a proof
 * and not in any order. Whoever stores a tree implements this (or `TileReader`); it may answer with a promise.
 */
export type HashReader = (level: number, index: number) => Uint8Array | Promise<Uint8Array>

/**
 * The hash of the node at a place in the tree of `size` leaves. An incomplete node, which has no fixed hash and is
 * stored nowhere, is made from the complete subtrees below it.
 *
 * @throws CryptoError `TREE_INVALID` when the reader gives anything but 32 bytes; whatever the reader throws.
 */
export async function readNode(place: NodePlace, size: number, readHash: HashReader): Promise<Uint8Array> {
  const width = 2 ** place.level
  const start = place.index * width
  return foldRight(await readSubtrees(completeSubtrees(start, Math.min(size, start + width)), readHash))
}

/** The hashes at some places, in that order. */
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

/** The hash over complete subtrees that follow one another and shrink to the right. There must be one at least. */
export function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}
