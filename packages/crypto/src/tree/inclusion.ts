/**
 * Inclusion proofs (RFC 6962 section 2.1.1). An inclusion proof shows that a leaf is at a given index in the tree
 * with a given root. The proof consists of the siblings along the path from the leaf to the root. The verifier hashes
 * the leaf with these siblings to recompute the root.
 */
import { bytesEqual } from '../bytes/bytes.js'
import { isTreeHash, isTreeSize, nodeHash, PROOF_HASHES_MAX } from './merkle.js'
import { inclusionPath } from './path.js'
import { type HashReader, readNode } from './reader.js'

/**
 * Creates the proof for the leaf at `index` (from 0) in the tree of `size` leaves. The stored tree may be larger.
 *
 * @throws RangeError unless 0 ≤ index < size ≤ TREE_SIZE_MAX; CryptoError `TREE_INVALID` if the reader does not
 *   return 32 bytes; errors thrown by the reader
 * @example
 * const proof = await inclusionProof(position - 1, checkpoint.size, readHash)
 * verifyInclusion(leafHash(data), position - 1, checkpoint.size, proof, checkpoint.root) // true
 */
export async function inclusionProof(index: number, size: number, readHash: HashReader): Promise<Uint8Array[]> {
  if (!isIndexOf(index, size)) throw new RangeError('index must be from 0 to size − 1, and size at most 2^53 − 1')
  return Promise.all(inclusionPath(index, size).map((sibling) => readNode(sibling, size, readHash)))
}

/**
 * Reports whether a proof shows that the leaf with hash `leaf` is at `index` in the tree with the given size and
 * root. Never throws: all arguments may be untrusted. A proof or hash of the wrong length is refused before any
 * hashing.
 *
 * Take the size and the root from the same signed checkpoint: a proof alone is often valid for several sizes.
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isTreeHash(leaf) || !isTreeHash(root) || !isIndexOf(index, size) || !isProof(proof)) return false
  const path = inclusionPath(index, size)
  if (proof.length !== path.length) return false
  let hash = leaf
  for (const [i, { side }] of path.entries()) {
    const sibling = proof[i]
    if (sibling === undefined) return false
    hash = side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling)
  }
  return bytesEqual(hash, root)
}

/** Reports whether a tree of the given size has a leaf at the given index. */
export function isIndexOf(index: unknown, size: unknown): index is number {
  return isTreeSize(index) && isTreeSize(size) && index < size
}

/** Reports whether a value is an array of hashes that is not too long to be a proof. */
export function isProof(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= PROOF_HASHES_MAX && value.every(isTreeHash)
}
