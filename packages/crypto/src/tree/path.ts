/**
 * Computes the positions of the nodes in a Merkle proof, without hashing. Both the prover and the verifier use
 * these functions to determine which hashes a proof contains, so the verifier can refuse a proof of the wrong
 * length before hashing.
 *
 * Indexes can exceed 32 bits, the limit of JavaScript's bitwise operators, so these functions use division and
 * remainder instead.
 */

/** The position of a node in a tree. */
export interface NodePlace {
  readonly level: number
  readonly index: number
}

/** The sibling of a node on the path to the root. */
export interface Sibling extends NodePlace {
  readonly side: 'left' | 'right'
}

/** The nodes in a consistency proof. */
export interface ConsistencyPath {
  /** The last complete subtree of the old tree. Both trees contain this subtree. */
  readonly start: NodePlace
  /**
   * Whether `start` is the root of the old tree. If so, the proof omits the hash of `start`, because the verifier
   * already knows it; otherwise that hash is the first hash in the proof.
   */
  readonly startIsOldRoot: boolean
  /** The rest of the proof. Left siblings belong to both trees; right siblings belong only to the new tree. */
  readonly siblings: readonly Sibling[]
}

/**
 * Returns the nodes of an inclusion proof (RFC 6962 section 2.1.1): the siblings along the path from the leaf to
 * the root.
 */
export function inclusionPath(index: number, size: number): Sibling[] {
  return siblingsAbove(0, index, size - 1)
}

/** Returns the nodes of a consistency proof (RFC 6962 section 2.1.2). Requires 0 < `oldSize` < `newSize`. */
export function consistencyPath(oldSize: number, newSize: number): ConsistencyPath {
  let level = 0
  let index = oldSize - 1
  let last = newSize - 1
  // Moves up from the last leaf of the old tree while the node is a right child, because a right child completes
  // its parent.
  while (index % 2 === 1) {
    level++
    index = half(index)
    last = half(last)
  }
  return { start: { level, index }, startIsOldRoot: index === 0, siblings: siblingsAbove(level, index, last) }
}

/**
 * Returns the largest complete subtrees that cover the leaves from `start` up to, but excluding, `end`, from left
 * to right.
 */
export function completeSubtrees(start: number, end: number): NodePlace[] {
  const places: NodePlace[] = []
  for (let at = start; at < end; ) {
    const level = bitLength(end - at) - 1
    const width = 2 ** level
    places.push({ level, index: at / width })
    at += width
  }
  return places
}

/**
 * Returns the population count of `n`, which equals the number of hashes in the frontier of a tree with `n` leaves.
 */
export function onesOf(n: number): number {
  let ones = 0
  for (let rest = n; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

/** @param last - the index of the last node at `level`, which may be incomplete */
function siblingsAbove(level: number, index: number, last: number): Sibling[] {
  const siblings: Sibling[] = []
  for (let l = level, i = index, end = last; end > 0; l++, i = half(i), end = half(end)) {
    if (i % 2 === 1) siblings.push({ side: 'left', level: l, index: i - 1 })
    // If the last node does not have a sibling, it moves up unchanged.
    else if (i < end) siblings.push({ side: 'right', level: l, index: i + 1 })
  }
  return siblings
}

const half = (n: number): number => Math.floor(n / 2)

/** Math.log2 is not used because it would round up for 2^53 − 1. */
const bitLength = (n: number): number => (n < 2 ** 32 ? 32 - Math.clz32(n) : 64 - Math.clz32(n / 2 ** 32))
