/**
 * The right edge of a Merkle tree: the roots of its complete subtrees, one for each 1 in the binary form of its size,
 * the largest first. It is all that is needed to append to the tree and to know its root, and grows as log2 of the size.
 *
 *     size 11 = 0b1011:  [root of leaves 0 to 7, root of leaves 8 and 9, leaf 10]
 *
 * Stored as the size in 8 bytes, big-endian, and the hashes behind it.
 */
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { emptyRoot, HASH_BYTES, isTreeHash, isTreeSize, nodeHash, TREE_SIZE_MAX } from './merkle.js'
import { completeSubtrees, type NodePlace, onesOf } from './path.js'
import { foldRight, type HashReader, readSubtrees } from './reader.js'

/** The state of a tree that grows. Never changed in place. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

/** A node that an appended leaf completed. */
export interface TreeNode extends NodePlace {
  readonly hash: Uint8Array
}

const SIZE_BYTES = 8

/** The tree without leaves. */
export const EMPTY_FRONTIER: Frontier = Object.freeze({ size: 0, hashes: Object.freeze([]) })

/** A tree behind new leaves, and the nodes that they completed. */
export interface GrownTree {
  readonly frontier: Frontier
  /**
   * Nodes that are complete from now on and will never change, in the order in which they became so: each leaf, then what it completes, from
   * the bottom up. A store of tiles keeps those whose level is a multiple of TILE_HEIGHT.
   */
  readonly completed: readonly TreeNode[]
}

/**
 * Appends one leaf.
 *
 * @param leaf its hash, as `leafHash` makes it.
 * @throws TypeError when the frontier contradicts itself or the leaf is not 32 bytes; RangeError when the tree is full.
 * @example
 * let frontier = EMPTY_FRONTIER
 * for (const data of entryHashes) frontier = appendLeaf(frontier, leafHash(data)).frontier
 * frontierRoot(frontier)
 */
export function appendLeaf(frontier: Frontier, leaf: Uint8Array): GrownTree {
  return appendLeaves(frontier, [leaf])
}

/**
 * Appends leaves in their order. The same as one after another, checked and copied once.
 *
 * @throws as `appendLeaf`
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
 * The root of the tree.
 *
 * @throws TypeError when the frontier contradicts itself.
 */
export function frontierRoot(frontier: Frontier): Uint8Array {
  const { size, hashes } = requireFrontier(frontier)
  return size === 0 ? emptyRoot() : foldRight(hashes)
}

/**
 * The frontier that a stored tree had when it had `size` leaves; with `frontierRoot`, the root it had then.
 *
 * @throws RangeError for a size that is none; CryptoError `TREE_INVALID` when the reader gives anything but 32 bytes.
 */
export async function readFrontier(size: number, readHash: HashReader): Promise<Frontier> {
  if (!isTreeSize(size)) throw new RangeError('size must be an integer from 0 to 2^53 − 1')
  return { size, hashes: await readSubtrees(completeSubtrees(0, size), readHash) }
}

/**
 * The bytes to store a frontier as.
 *
 * @throws TypeError when the frontier contradicts itself.
 */
export function encodeFrontier(frontier: Frontier): Uint8Array {
  const { size, hashes } = requireFrontier(frontier)
  const head = new Uint8Array(SIZE_BYTES)
  new DataView(head.buffer).setBigUint64(0, BigInt(size))
  return concatBytes(head, ...hashes)
}

/**
 * The frontier that bytes store. Says nothing of whether the hashes are those of any tree: compare the root.
 *
 * @throws CryptoError `TREE_INVALID` for anything but what `encodeFrontier` makes.
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
    throw new TypeError('the size and the hashes of the frontier contradict one another')
  }
  return frontier
}

const invalid = (): CryptoError => new CryptoError('TREE_INVALID', 'the stored edge of the tree is not whole')
