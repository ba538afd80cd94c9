// Builds the tree of a ledger during a walk, and remembers it at the sizes of known checkpoints.

import type { Hash } from '@sudoagent/crypto'
import type { Frontier } from '@sudoagent/crypto/tree'
import { RunningTree } from './running-tree.js'

/** The ledger at some size. A value is null if it could not be determined. */
export interface TreePoint {
  readonly root: Uint8Array | null
  /** Hash of the last entry at that size. */
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
   * @param sizes - sizes at which to remember the tree
   * @param start - the tree to extend
   * @param known - points that are already known
   */
  constructor(sizes: Iterable<number>, start?: Frontier, known: ReadonlyMap<number, TreePoint> = new Map()) {
    this.#tree = new RunningTree(start)
    this.#size = this.#tree.size
    this.#points = new Map(known)
    this.#wanted = [...new Set(sizes)].filter((size) => size > this.#size).sort((a, b) => a - b)
  }

  /**
   * Appends an entry.
   *
   * @param entryHash - as stated in the entry; null if the entry cannot be read, which makes all later roots
   * unknown
   */
  add(entryHash: Hash | null): void {
    this.#size += 1
    if (entryHash === null) this.#lostAt ??= this.#size
    else if (this.#lostAt === null) this.#tree.add(entryHash)
    this.#note(() => entryHash)
  }

  /** Appends an entry by its leaf hash, which is in `leaves` at `at`. */
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

  /** The ledger at one of the requested sizes; undefined if the walk has not reached it. */
  at(size: number): TreePoint | undefined {
    return this.#points.get(size)
  }

  /** Whether a requested size is at least `size`. */
  isAwaited(size: number): boolean {
    const last = this.#wanted.at(-1)
    return last !== undefined && last >= size
  }

  /** The current root; null after an unreadable entry. */
  root(): Uint8Array | null {
    return this.#lostAt === null ? this.#tree.root() : null
  }

  /** The current right edge; null after an unreadable entry. */
  frontier(): Frontier | null {
    return this.#lostAt === null ? this.#tree.frontier() : null
  }
}
