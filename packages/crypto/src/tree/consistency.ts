/**
 * Consistency proofs (RFC 6962 section 2.1.2). A consistency proof shows that the tree with a given root begins with
 * all leaves of an older tree, unchanged and in the same order. The verifier recomputes both roots from the same
 * hashes.
 */
import { bytesEqual } from '../bytes/bytes.js'
import { isProof } from './inclusion.js'
import { isTreeHash, isTreeSize, nodeHash } from './merkle.js'
import { consistencyPath } from './path.js'
import { type HashReader, readNode } from './reader.js'

/**
 * Creates the proof that the tree of `newSize` leaves begins with the tree of `oldSize` leaves. The stored tree may
 * be larger. If the sizes are equal, the proof is empty.
 *
 * @throws RangeError unless 0 < oldSize ≤ newSize ≤ TREE_SIZE_MAX (every tree begins with the empty tree, so size 0
 *   needs no proof); CryptoError `TREE_INVALID` if the reader does not return 32 bytes; errors thrown by the reader
 */
export async function consistencyProof(oldSize: number, newSize: number, readHash: HashReader): Promise<Uint8Array[]> {
  if (!areSizes(oldSize, newSize)) throw new RangeError('sizes must be 0 < old ≤ new ≤ 2^53 − 1')
  if (oldSize === newSize) return []
  const { start, startIsOldRoot, siblings } = consistencyPath(oldSize, newSize)
  const places = startIsOldRoot ? siblings : [start, ...siblings]
  return Promise.all(places.map((place) => readNode(place, newSize, readHash)))
}

/**
 * Reports whether a proof shows that the tree with `newSize` leaves and root `newRoot` begins with the tree with
 * `oldSize` leaves and root `oldRoot`. Never throws: all arguments may be untrusted. A proof or hash of the wrong
 * length is refused before any hashing. An old size of 0 is refused, because such a proof would prove nothing.
 *
 * Take each size and its root from the same signed checkpoint: a proof alone is often valid for several sizes.
 */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!areSizes(oldSize, newSize) || !isTreeHash(oldRoot) || !isTreeHash(newRoot) || !isProof(proof)) return false
  if (oldSize === newSize) return proof.length === 0 && bytesEqual(oldRoot, newRoot)
  const { startIsOldRoot, siblings } = consistencyPath(oldSize, newSize)
  const [start, ...rest] = startIsOldRoot ? [oldRoot, ...proof] : proof
  if (start === undefined || rest.length !== siblings.length) return false
  let oldHash = start
  let newHash = start
  for (const [i, { side }] of siblings.entries()) {
    const sibling = rest[i]
    if (sibling === undefined) return false
    if (side === 'left') oldHash = nodeHash(sibling, oldHash)
    newHash = side === 'left' ? nodeHash(sibling, newHash) : nodeHash(newHash, sibling)
  }
  return bytesEqual(oldHash, oldRoot) && bytesEqual(newHash, newRoot)
}

function areSizes(oldSize: unknown, newSize: unknown): boolean {
  return isTreeSize(oldSize) && isTreeSize(newSize) && 0 < oldSize && oldSize <= newSize
}
