// Builds the tree of a ledger during a walk, and remembers it at the sizes of known checkpoints.

import type { Hash } from '@sudoagent/crypto'
import type { Frontier } from '@sudoagent/crypto/tree'
import { RunningTree } from './running-tree.js'

/** The ledger at a given size. A value is null if it could not be determined. */
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
   * @param known - points that are known in advance
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
   * @param entryHash - `entry_hash` as stated in the entry; null if the entry cannot be read, in which case all later
   * roots are unknown
   */
  add(entryHash: Hash | null): void {
    this.#size += 1
    if (entryHash === null) this.#lostAt ??= this.#size
    else if (this.#lostAt === null) this.#tree.add(entryHash)
    this.#note(() => entryHash)
  }

  /** Appends the entry whose leaf hash is in `leaves` at `at`. */
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

  /** The ledger at one of the requested sizes; undefined if the walk has not reached that size. */
  at(size: number): TreePoint | undefined {
    return this.#points.get(size)
  }

  /** Whether a requested size is `size` or larger. */
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
