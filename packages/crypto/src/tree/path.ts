/**
 * Where things stand in a Merkle tree. Pure arithmetic, no hashing: both who makes a proof and who checks one ask here
 * which hashes it is made of, so that a proof of the wrong length is refused before anything is hashed.
 *
 * Indexes go beyond 32 bits, where JavaScript's bit operators end; halves and remainders do the same exactly.
 */

/** The place of a node. */
export interface NodePlace {
  readonly level: number
  readonly index: number
}

/** A node beside a path from below up to the root. */
export interface Sibling extends NodePlace {
  readonly side: 'left' | 'right'
}

/** What a consistency proof is made of. */
export interface ConsistencyPath {
  /** The node where the old tree's right edge and the new tree part ways; it is part of both. */
  readonly start: NodePlace
  /** The start is the old tree itself, whose root the verifier has; otherwise it is the first hash of the proof. */
  readonly startIsOldRoot: boolean
  /** The rest of the proof. Left siblings belong to both trees, right ones to the new tree only. */
  readonly siblings: readonly Sibling[]
}

/** The siblings of a leaf's path, from the leaf up: an inclusion proof (RFC 6962 section 2.1.1). */
export function inclusionPath(index: number, size: number): Sibling[] {
  return siblingsAbove(0, index, size - 1)
}

/** The nodes of a consistency proof from `oldSize` > 0 to `newSize` > `oldSize` leaves (RFC 6962 section 2.1.2). */
export function consistencyPath(oldSize: number, newSize: number): ConsistencyPath {
  let level = 0
  let index = oldSize - 1
  let last = newSize - 1
  // Up from the old tree's last leaf for as long as it completes what stands above it.
  while (index % 2 === 1) {
    level++
    index = half(index)
    last = half(last)
  }
  return { start: { level, index }, startIsOldRoot: index === 0, siblings: siblingsAbove(level, index, last) }
}

/** The largest complete subtrees over the leaves from `start` up to, but without, `end`, from the left. */
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

/** How many ones a number has in binary: how many complete subtrees a tree of that size has on its right edge. */
export function onesOf(n: number): number {
  let ones = 0
  for (let rest = n; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

/** `last` is the index of the last node at that level, which may be incomplete. */
function siblingsAbove(level: number, index: number, last: number): Sibling[] {
  const siblings: Sibling[] = []
  for (let l = level, i = index, end = last; end > 0; l++, i = half(i), end = half(end)) {
    if (i % 2 === 1) siblings.push({ side: 'left', level: l, index: i - 1 })
    // A last node without a right neighbour is carried up as it is.
    else if (i < end) siblings.push({ side: 'right', level: l, index: i + 1 })
  }
  return siblings
}

const half = (n: number): number => Math.floor(n / 2)

/** Math.log2 rounds 2^53 − 1 up. */
const bitLength = (n: number): number => (n < 2 ** 32 ? 32 - Math.clz32(n) : 64 - Math.clz32(n / 2 ** 32))
