// Appends entries to the Merkle tree of a ledger.

import { hexToBytes } from '@sudoagent/crypto/bytes'
import { appendLeaves, type Frontier, leafHash, type TreeNode } from '@sudoagent/crypto/tree'

/** The extended tree, and the nodes that the new entries complete. */
export function grow(
  frontier: Frontier,
  entries: readonly { readonly entryHash: string }[],
): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
  const leaves = entries.map(({ entryHash }) => leafHash(hexToBytes(entryHash)))
  const grown = appendLeaves(frontier, leaves)
  return { frontier: grown.frontier, nodes: grown.completed }
}
