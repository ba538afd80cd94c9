/**
 * Positions of nodes in a Merkle tree. This is arithmetic without hashing: both the prover and the verifier
 * determine the hashes of a proof with these functions, so that a proof of the wrong length is refused before
 * hashing.
 *
 * Indexes exceed 32 bits, the limit of JavaScript's bit operators; divisions by two and remainders are used
 * instead.
 */

/** The position of a node. */
export interface NodePlace {
  readonly level: number
  readonly index: number
}

/** A sibling of a node on a path to the root. */
export interface Sibling extends NodePlace {
  readonly side: 'left' | 'right'
}

/** The nodes of a consistency proof. */
export interface ConsistencyPath {
  /** The last complete subtree of the old tree. Both trees contain it. */
  readonly start: NodePlace
  /**
   * Whether the start is the root of the old tree, which the verifier knows; if not, it is the first hash of the
   * proof.
   */
  readonly startIsOldRoot: boolean
  /** The rest of the proof. Left siblings belong to both trees, right ones only to the new tree. */
  readonly siblings: readonly Sibling[]
}

/** The siblings on a leaf's path, from the leaf up: an inclusion proof (RFC 6962 section 2.1.1). */
export function inclusionPath(index: number, size: number): Sibling[] {
  return siblingsAbove(0, index, size - 1)
}

/** The nodes of a consistency proof from `oldSize` > 0 to `newSize` > `oldSize` leaves (RFC 6962 section 2.1.2). */
export function consistencyPath(oldSize: number, newSize: number): ConsistencyPath {
  let level = 0
  let index = oldSize - 1
  let last = newSize - 1
  // Goes up from the old tree's last leaf as long as it is the right child, which completes its parent.
  while (index % 2 === 1) {
    level++
    index = half(index)
    last = half(last)
  }
  return { start: { level, index }, startIsOldRoot: index === 0, siblings: siblingsAbove(level, index, last) }
}

/** The largest complete subtrees over the leaves from `start` up to, but excluding, `end`, from left to right. */
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
 * The number of ones in the binary form of a number, which is the number of complete subtrees of a tree of that
 * size.
 */
export function onesOf(n: number): number {
  let ones = 0
  for (let rest = n; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

/** @param last - the index of the last node at that level, which may be incomplete */
function siblingsAbove(level: number, index: number, last: number): Sibling[] {
  const siblings: Sibling[] = []
  for (let l = level, i = index, end = last; end > 0; l++, i = half(i), end = half(end)) {
    if (i % 2 === 1) siblings.push({ side: 'left', level: l, index: i - 1 })
    // A last node without a right neighbour is carried up unchanged.
    else if (i < end) siblings.push({ side: 'right', level: l, index: i + 1 })
  }
  return siblings
}

const half = (n: number): number => Math.floor(n / 2)

/** Math.log2 would round 2^53 − 1 up. */
const bitLength = (n: number): number => (n < 2 ** 32 ? 32 - Math.clz32(n) : 64 - Math.clz32(n / 2 ** 32))
