/**
 * Merkle tree hashes as defined in RFC 6962 section 2.1, with SHA-256. Leaves and inner nodes are hashed with
 * different prefixes, so that a node cannot be mistaken for a leaf:
 *
 *     leaf   SHA-256(0x00 ‖ data)
 *     node   SHA-256(0x01 ‖ left ‖ right)
 *     empty  SHA-256()
 *
 * A tree of n > 1 leaves splits at the largest power of two below n: the left subtree is always complete, and the
 * hash of a complete node never changes. The node at level l and index i covers the leaves from i·2^l up to, but
 * excluding, (i+1)·2^l. The node is complete if the tree contains all of these leaves. Leaves are at level 0.
 *
 *     3 leaves:   root = node(node(leaf 0, leaf 1), leaf 2)
 */
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { sha256 } from '../bytes/hash.js'

/** The length of every hash in a tree, in bytes. */
export const HASH_BYTES = 32

/** The maximum size of a tree: 2^53 − 1 leaves, the largest integer that all JSON parsers represent exactly. */
export const TREE_SIZE_MAX = Number.MAX_SAFE_INTEGER

/**
 * The maximum number of hashes in a proof. A tree of TREE_SIZE_MAX leaves needs 54 hashes; 2^64 leaves, the limit
 * of the C2SP formats, would need 64.
 */
export const PROOF_HASHES_MAX = 64

const LEAF_PREFIX = Uint8Array.of(0x00)
const NODE_PREFIX = 0x01

/**
 * The hash input of `nodeHash`. The array is reused because allocating an array takes as long as computing the hash.
 */
const pair = Uint8Array.of(NODE_PREFIX, ...new Uint8Array(2 * HASH_BYTES))

/**
 * Returns the hash of a leaf. In a ledger, `data` is the 32-byte entry hash.
 *
 * @throws TypeError if `data` is not a Uint8Array
 */
export function leafHash(data: Uint8Array): Uint8Array {
  if (!isBytes(data)) throw new TypeError('data must be a Uint8Array')
  return sha256(concatBytes(LEAF_PREFIX, data))
}

/**
 * Returns the hash of an inner node.
 *
 * @throws TypeError if an argument is not 32 bytes. Without this check, a shorter left hash and a longer right hash
 *   could give the same result.
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (!isTreeHash(left) || !isTreeHash(right)) throw new TypeError(`a hash must be ${HASH_BYTES} bytes`)
  pair.set(left, 1)
  pair.set(right, 1 + HASH_BYTES)
  return sha256(pair)
}

/** Returns the root of the tree without leaves. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** Reports whether a value is a Uint8Array of 32 bytes. */
export function isTreeHash(value: unknown): value is Uint8Array {
  return isBytes(value) && value.length === HASH_BYTES
}

/** Reports whether a value is a valid number of leaves: an integer from 0 to TREE_SIZE_MAX. */
export function isTreeSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
