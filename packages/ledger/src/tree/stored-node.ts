// Where the nodes of a tree stand when they are kept one after another in the order in which they become complete: the "stored hash" order of
// golang.org/x/mod/sumdb/tlog.
//
//   leaves 0 to 3:   0:leaf 0, 1:leaf 1, 2:(0,1), 3:leaf 2, 4:leaf 3, 5:(2,3), 6:(0…3)
import type { HashReader } from '@sudoagent/crypto'

/** The place of the node at a level and index, from 0. */
export function storedNodeAt(level: number, index: number): number {
  // The leaf whose append completed the node, and then one place for each level.
  return storedNodeCount((index + 1) * 2 ** level - 1) + level
}

/** How many nodes a tree of `size` leaves has stored: each leaf, and each pair that is complete. */
export function storedNodeCount(size: number): number {
  let count = 0
  for (let nodes = size; nodes > 0; nodes = Math.floor(nodes / 2)) count += nodes
  return count
}

/** Reads nodes of a tree out of such a list. */
export function createStoredNodeReader(hashAt: (place: number) => Uint8Array): HashReader {
  return (level, index) => hashAt(storedNodeAt(level, index))
}
