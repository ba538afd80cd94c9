/**
 * The hashes of a Merkle tree as defined in RFC 6962 section 2.1, with SHA-256. Leaves and inner nodes are hashed
 * with different first bytes, so that neither can pass as the other:
 *
 *     leaf   SHA-256(0x00 ‖ data)
 *     node   SHA-256(0x01 ‖ left ‖ right)
 *     empty  SHA-256()
 *
 * A tree of n > 1 leaves splits at the largest power of two below n: the left side is always complete, and the hash
 * of a complete node never changes. The node at level l and index i covers the leaves from i·2^l up to, but
 * excluding, (i+1)·2^l; it is complete when the tree has all of them. Leaves are at level 0.
 *
 *     3 leaves:   root = node(node(leaf 0, leaf 1), leaf 2)
 */
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { sha256 } from '../bytes/hash.js'

/** The length of every hash in a tree. */
export const HASH_BYTES = 32

/** The maximum size of a tree: 2^53 − 1 leaves, the largest integer that every JSON reader reads exactly. */
export const TREE_SIZE_MAX = Number.MAX_SAFE_INTEGER

/**
 * The maximum number of hashes in a proof. A tree of TREE_SIZE_MAX leaves needs 54; the largest tree of the formats
 * (2^64 leaves) would need 64.
 */
export const PROOF_HASHES_MAX = 64

const LEAF_PREFIX = Uint8Array.of(0x00)
const NODE_PREFIX = 0x01

/** The input of `nodeHash`, reused because allocating such an array takes as long as hashing it. */
const pair = Uint8Array.of(NODE_PREFIX, ...new Uint8Array(2 * HASH_BYTES))

/**
 * The hash of a leaf. In a ledger, `data` is the 32 bytes of an entry hash.
 *
 * @throws TypeError when `data` is not bytes
 */
export function leafHash(data: Uint8Array): Uint8Array {
  if (!isBytes(data)) throw new TypeError('data must be a Uint8Array')
  return sha256(concatBytes(LEAF_PREFIX, data))
}

/**
 * The hash of an inner node.
 *
 * @throws TypeError when an argument is not a hash of 32 bytes: a shorter left and a longer right one would have
 *   the same hash
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (!isTreeHash(left) || !isTreeHash(right)) throw new TypeError(`a hash must be ${HASH_BYTES} bytes`)
  pair.set(left, 1)
  pair.set(right, 1 + HASH_BYTES)
  return sha256(pair)
}

/** The root of the tree without leaves. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** Whether a value is 32 bytes. */
export function isTreeHash(value: unknown): value is Uint8Array {
  return isBytes(value) && value.length === HASH_BYTES
}

/** Whether a value is a number of leaves: an integer from 0 to TREE_SIZE_MAX. */
export function isTreeSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
