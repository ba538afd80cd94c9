import { createHash, hash } from 'node:crypto'

/**
 * The tree of RFC 6962 section 2.1, word for word: recursive, hashing everything again, sharing no line with the
 * package. What it says is right by reading the RFC beside it.
 */
export class NaiveTree {
  readonly #leaves: readonly Uint8Array[]
  readonly #roots = new Map<number, Uint8Array>()

  constructor(leafHashes: readonly Uint8Array[]) {
    this.#leaves = leafHashes
  }

  /** MTH(D[start:end]) */
  root(start: number, end: number): Uint8Array {
    const [leaf] = this.#leaves.slice(start, start + 1)
    if (end - start === 0) return sha256()
    if (end - start === 1 && leaf !== undefined) return leaf
    const id = start * 2 ** 21 + end
    const known = this.#roots.get(id) ?? this.#hash(start, end)
    this.#roots.set(id, known)
    return known
  }

  /** PATH(index, D[start:end]) */
  path(index: number, start: number, end: number): Uint8Array[] {
    const n = end - start
    if (n === 1) return []
    const k = splitOf(n)
    return index < k
      ? [...this.path(index, start, start + k), this.root(start + k, end)]
      : [...this.path(index - k, start + k, end), this.root(start, start + k)]
  }

  /** SUBPROOF(oldSize, D[start:end], whole) */
  subproof(oldSize: number, start: number, end: number, whole: boolean): Uint8Array[] {
    const n = end - start
    if (oldSize === n) return whole ? [] : [this.root(start, end)]
    const k = splitOf(n)
    return oldSize <= k
      ? [...this.subproof(oldSize, start, start + k, whole), this.root(start + k, end)]
      : [...this.subproof(oldSize - k, start + k, end, false), this.root(start, start + k)]
  }

  #hash(start: number, end: number): Uint8Array {
    const middle = start + splitOf(end - start)
    return sha256(Uint8Array.of(1), this.root(start, middle), this.root(middle, end))
  }
}

/** Leaf hashes that differ from one another. */
export function leavesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(0), new TextEncoder().encode(`leaf ${i}`)))
}

/** A tree that grew to 2^levels leaves: its rows of complete nodes, from the leaves up. */
export class StoredRows {
  readonly #rows: Uint8Array[]

  constructor(levels: number) {
    // Any 32 bytes are a leaf hash. These differ, which is all that is asked of them.
    const leaves = new Uint8Array(2 ** levels * 32)
    const view = new DataView(leaves.buffer)
    for (let i = 0; i < 2 ** levels; i++) view.setUint32(i * 32, i + 1)
    this.#rows = [leaves]
    for (let row: Uint8Array = leaves; row.length > 32; this.#rows.push(row)) row = rowAbove(row)
  }

  /** Some nodes that follow one another at a level. */
  read(level: number, index: number, count = 1): Uint8Array {
    const hashes = this.#rows[level]?.subarray(index * 32, (index + count) * 32)
    if (hashes?.length !== count * 32) throw new Error(`no ${count} nodes at level ${level}, index ${index}`)
    return hashes
  }

  /** MTH(D[start:end]); what is complete comes from the rows. */
  root(start: number, end: number): Uint8Array {
    const n = end - start
    if (Number.isInteger(Math.log2(n)) && start % n === 0) return this.read(Math.log2(n), start / n)
    const middle = start + splitOf(n)
    return sha256(Uint8Array.of(1), this.root(start, middle), this.root(middle, end))
  }
}

function rowAbove(row: Uint8Array): Uint8Array {
  const above = new Uint8Array(row.length / 2)
  const node = new Uint8Array(65).fill(1, 0, 1)
  for (let at = 0; at < above.length; at += 32) {
    node.set(row.subarray(2 * at, 2 * at + 64), 1)
    // One call for each of a million nodes: three times as fast as a hash object.
    above.set(hash('sha256', node, 'buffer'), at)
  }
  return above
}

/** The largest power of two smaller than n. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
