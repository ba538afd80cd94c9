// Defines the storage order of tree nodes: each node is appended when it becomes complete, as in the "stored hash"
// order of golang.org/x/mod/sumdb/tlog.
//
//   leaves 0 to 3:   0:leaf 0, 1:leaf 1, 2:(0,1), 3:leaf 2, 4:leaf 3, 5:(2,3), 6:(0…3)
import type { HashReader } from '@sudoagent/crypto/tree'

/** The storage index of the node at a level and index, from 0. */
export function storedNodeAt(level: number, index: number): number {
  // The storage index of the leaf that completes the node, plus one for each level above the leaf.
  return storedNodeCount((index + 1) * 2 ** level - 1) + level
}

/** The number of stored nodes in a tree with `size` leaves: the leaves and all complete inner nodes. */
export function storedNodeCount(size: number): number {
  let count = 0
  for (let nodes = size; nodes > 0; nodes = Math.floor(nodes / 2)) count += nodes
  return count
}

/** Reads tree nodes from a list in storage order. */
export function createStoredNodeReader(hashAt: (place: number) => Uint8Array): HashReader {
  return (level, index) => hashAt(storedNodeAt(level, index))
}
