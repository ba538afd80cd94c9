// The tree of a ledger along a walk, and what it was at the sizes that somebody has a checkpoint of.
import type { Frontier, Hash } from '@sudoagent/crypto'
import { RunningTree } from './running-tree.js'

/** What a ledger was at some size. Null for what could not be found out. */
export interface TreePoint {
  readonly root: Uint8Array | null
  /** Of the last entry at that size. */
  readonly entryHash: Hash | null
}

export class TreeWalk {
  readonly #tree: RunningTree
  readonly #points: Map<number, TreePoint>
  readonly #wanted: readonly number[]
  #next = 0
  #size: number
  #lostAt: number | null = null

  /**
   * @param sizes - to remember the tree at
   * @param start - the tree to go on from
   * @param known - points that are known without the walk
   */
  constructor(sizes: Iterable<number>, start?: Frontier, known: ReadonlyMap<number, TreePoint> = new Map()) {
    this.#tree = new RunningTree(start)
    this.#size = this.#tree.size
    this.#points = new Map(known)
    this.#wanted = [...new Set(sizes)].filter((size) => size > this.#size).sort((a, b) => a - b)
  }

  /**
   * Takes the next entry.
   *
   * @param entryHash - as it says itself; null when it cannot be read: no root from here on can be known
   */
  add(entryHash: Hash | null): void {
    this.#size += 1
    if (entryHash === null) this.#lostAt ??= this.#size
    else if (this.#lostAt === null) this.#tree.add(entryHash)
    this.#note(() => entryHash)
  }

  /** The same by the hash of the leaf, which stands in `leaves` at `at`. */
  addLeaf(leaves: Uint8Array, at: number, entryHash: () => Hash): void {
    this.#size += 1
    if (this.#lostAt === null) this.#tree.addLeaf(leaves, at)
    this.#note(entryHash)
  }

  #note(entryHash: () => Hash | null): void {
    if (this.#size !== this.#wanted[this.#next]) return
    this.#next += 1
    this.#points.set(this.#size, { root: this.root(), entryHash: entryHash() })
  }

  /** What the ledger was at one of the sizes asked for; undefined when it never was. */
  at(size: number): TreePoint | undefined {
    return this.#points.get(size)
  }

  /** Whether somebody waits for a root at this size or a later one. */
  isAwaited(size: number): boolean {
    const last = this.#wanted.at(-1)
    return last !== undefined && last >= size
  }

  /** The root now; null behind an entry that could not be read. */
  root(): Uint8Array | null {
    return this.#lostAt === null ? this.#tree.root() : null
  }

  /** The right edge now; null behind an entry that could not be read. */
  frontier(): Frontier | null {
    return this.#lostAt === null ? this.#tree.frontier() : null
  }
}
