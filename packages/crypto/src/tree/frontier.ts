/**
 * The frontier is the right edge of a Merkle tree: the roots of its maximal complete subtrees, largest first. The
 * frontier has one root for each 1 bit of the tree size, so its length grows logarithmically. It is sufficient for
 * appending leaves and computing the tree root.
 *
 *     size 11 = 0b1011:  [root of leaves 0 to 7, root of leaves 8 and 9, leaf 10]
 *
 * A stored frontier consists of the tree size in 8 big-endian bytes, followed by the hashes.
 */
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { emptyRoot, HASH_BYTES, isTreeHash, isTreeSize, nodeHash, TREE_SIZE_MAX } from './merkle.js'
import { completeSubtrees, type NodePlace, onesOf } from './path.js'
import { foldRight, type HashReader, readSubtrees } from './reader.js'

/** The state of a growing tree. A frontier is immutable. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

/** A node that became complete when a leaf was appended. */
export interface TreeNode extends NodePlace {
  readonly hash: Uint8Array
}

const SIZE_BYTES = 8

/** The tree without leaves. */
export const EMPTY_FRONTIER: Frontier = Object.freeze({ size: 0, hashes: Object.freeze([]) })

/** The tree after leaves were appended, and the nodes that became complete. */
export interface GrownTree {
  readonly frontier: Frontier
  /**
   * The nodes that became complete and will never change, in order of completion: each leaf, followed by the nodes
   * that the leaf completes, from the bottom up. A tile store keeps the nodes whose level is a multiple of
   * TILE_HEIGHT.
   */
  readonly completed: readonly TreeNode[]
}

/**
 * Appends one leaf.
 *
 * @param leaf - the leaf hash, as returned by `leafHash`
 * @throws TypeError if the frontier is inconsistent or the leaf is not 32 bytes; RangeError if the tree is full
 * @example
 * let frontier = EMPTY_FRONTIER
 * for (const data of entryHashes) frontier = appendLeaf(frontier, leafHash(data)).frontier
 * frontierRoot(frontier)
 */
export function appendLeaf(frontier: Frontier, leaf: Uint8Array): GrownTree {
  return appendLeaves(frontier, [leaf])
}

/**
 * Appends several leaves in order. The result is the same as calling `appendLeaf` for each leaf, but the frontier
 * is checked and copied only once.
 *
 * @throws the errors of `appendLeaf`
 */
export function appendLeaves(frontier: Frontier, leaves: readonly Uint8Array[]): GrownTree {
  const { size } = requireFrontier(frontier)
  if (leaves.length > TREE_SIZE_MAX - size) throw new RangeError('the tree is full')
  const hashes = [...frontier.hashes]
  const completed: TreeNode[] = []
  leaves.forEach((leaf, n) => {
    if (!isTreeHash(leaf)) throw new TypeError(`leaf must be a hash of ${HASH_BYTES} bytes`)
    let node: TreeNode = { level: 0, index: size + n, hash: leaf }
    completed.push(node)
    while (node.index % 2 === 1) {
      const left = hashes.pop() ?? leaf
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left, node.hash) }
      completed.push(node)
    }
    hashes.push(node.hash)
  })
  return { frontier: { size: size + leaves.length, hashes }, completed }
}

/**
 * Computes the root of the tree.
 *
 * @throws TypeError if the frontier is inconsistent
 */
export function frontierRoot(frontier: Frontier): Uint8Array {
  const { size, hashes } = requireFrontier(frontier)
  return size === 0 ? emptyRoot() : foldRight(hashes)
}

/**
 * Reads the frontier of a stored tree as it was with `size` leaves. `frontierRoot` then returns the root at that
 * size.
 *
 * @throws RangeError for an invalid size; CryptoError `TREE_INVALID` if the reader does not return 32 bytes
 */
export async function readFrontier(size: number, readHash: HashReader): Promise<Frontier> {
  if (!isTreeSize(size)) throw new RangeError('size must be an integer from 0 to 2^53 − 1')
  return { size, hashes: await readSubtrees(completeSubtrees(0, size), readHash) }
}

/**
 * Encodes a frontier for storage.
 *
 * @throws TypeError if the frontier is inconsistent
 */
export function encodeFrontier(frontier: Frontier): Uint8Array {
  const { size, hashes } = requireFrontier(frontier)
  const head = new Uint8Array(SIZE_BYTES)
  new DataView(head.buffer).setBigUint64(0, BigInt(size))
  return concatBytes(head, ...hashes)
}

/**
 * Decodes a stored frontier. The hashes are not verified: compare the root with a trusted root.
 *
 * @throws CryptoError `TREE_INVALID` for bytes that `encodeFrontier` does not produce
 */
export function parseFrontier(bytes: Uint8Array): Frontier {
  if (!isBytes(bytes) || bytes.length < SIZE_BYTES) throw invalid()
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  if (!isTreeSize(size) || bytes.length !== SIZE_BYTES + onesOf(size) * HASH_BYTES) throw invalid()
  const hashes: Uint8Array[] = []
  for (let at = SIZE_BYTES; at < bytes.length; at += HASH_BYTES)
    hashes.push(new Uint8Array(bytes.subarray(at, at + HASH_BYTES)))
  return { size, hashes }
}

function requireFrontier(frontier: Frontier): Frontier {
  const { size, hashes } = frontier
  if (!isTreeSize(size) || hashes.length !== onesOf(size) || !hashes.every(isTreeHash)) {
    throw new TypeError('the size and the hashes of the frontier are inconsistent')
  }
  return frontier
}

const invalid = (): CryptoError => new CryptoError('TREE_INVALID', 'the stored frontier of the tree is incomplete')
