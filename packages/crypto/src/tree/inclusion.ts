/**
 * Inclusion proofs (RFC 6962 section 2.1.1): a leaf is at an index of the tree with a given root. The proof
 * consists of the siblings on the leaf's path, from the leaf up; the verifier hashes them together up to the root.
 */
import { bytesEqual } from '../bytes/bytes.js'
import { isTreeHash, isTreeSize, nodeHash, PROOF_HASHES_MAX } from './merkle.js'
import { inclusionPath } from './path.js'
import { type HashReader, readNode } from './reader.js'

/**
 * Makes the proof that the tree of `size` leaves has the leaf at `index` (from 0). The stored tree may be larger.
 *
 * @throws RangeError unless 0 ≤ index < size ≤ TREE_SIZE_MAX; CryptoError `TREE_INVALID` when the reader does not
 *   return 32 bytes; errors of the reader
 * @example
 * const proof = await inclusionProof(position - 1, checkpoint.size, readHash)
 * verifyInclusion(leafHash(data), position - 1, checkpoint.size, proof, checkpoint.root) // true
 */
export async function inclusionProof(index: number, size: number, readHash: HashReader): Promise<Uint8Array[]> {
  if (!isIndexOf(index, size)) throw new RangeError('index must be a leaf of the tree, size at most 2^53 − 1')
  return Promise.all(inclusionPath(index, size).map((sibling) => readNode(sibling, size, readHash)))
}

/**
 * Whether a proof shows that the leaf with hash `leaf` is at `index` of the tree with this size and root. Never
 * throws: all arguments may be untrusted. A wrong length of the proof or of a hash is refused before hashing.
 *
 * Take size and root from one signed checkpoint: a proof alone is often valid for several sizes.
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

/** Whether a tree of that size has a leaf at that index. */
export function isIndexOf(index: unknown, size: unknown): index is number {
  return isTreeSize(index) && isTreeSize(size) && index < size
}

/** Whether a value is a list of hashes of a possible length for a proof. */
export function isProof(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= PROOF_HASHES_MAX && value.every(isTreeHash)
}
