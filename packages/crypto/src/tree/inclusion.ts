/**
 * Inclusion proofs (RFC 6962 section 2.1.1): that a leaf stands at an index of the tree with a given root. The proof is
 * the siblings of the leaf's path, from the leaf up; checking it hashes them back together to the root.
 */
import { bytesEqual } from '../bytes/bytes.js'
import { isTreeHash, isTreeSize, nodeHash, PROOF_HASHES_MAX } from './merkle.js'
import { inclusionPath } from './path.js'
import { type HashReader, readNode } from './reader.js'

/**
 * Makes the proof that the tree of `size` leaves has the leaf at `index` (from 0). The tree may have grown since.
 *
 * @throws RangeError unless 0 ≤ index < size ≤ TREE_SIZE_MAX; CryptoError `TREE_INVALID` when the reader gives anything
 * but 32 bytes; whatever the reader throws.
 * @example
 * const proof = await inclusionProof(position - 1, checkpoint.size, readHash)
 * verifyInclusion(leafHash(data), position - 1, checkpoint.size, proof, checkpoint.root) // true
 */
export async function inclusionProof(index: number, size: number, readHash: HashReader): Promise<Uint8Array[]> {
  if (!isIndexOf(index, size)) throw new RangeError('index must be a leaf of the tree, size at most 2^53 − 1')
  return Promise.all(inclusionPath(index, size).map((sibling) => readNode(sibling, size, readHash)))
}

/**
 * Whether a proof shows that the leaf with hash `leaf` stands at `index` of the tree with this size and root. Never
 * throws: everything may come from a stranger. A wrong length, of the proof or of a hash, is refused before hashing.
 *
 * Take size and root from one signed checkpoint: a proof alone often fits several sizes.
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

/** Whether a value is a list of hashes that is not too long to be a proof. */
export function isProof(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= PROOF_HASHES_MAX && value.every(isTreeHash)
}
