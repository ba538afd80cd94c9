import { mayReplace, requireGrowth, type StoredCheckpoint, type WitnessStore } from './store.js'

/**
 * Stores checkpoints in memory. Use it only in tests: a witness that loses its store can be tricked into cosigning
 * a fork.
 */
export class MemoryWitnessStore implements WitnessStore {
  readonly #checkpoints = new Map<string, StoredCheckpoint>()

  async read(origin: string): Promise<StoredCheckpoint | null> {
    return this.#checkpoints.get(origin) ?? null
  }

  async swap(origin: string, oldSize: number, next: StoredCheckpoint): Promise<boolean> {
    requireGrowth(oldSize, next)
    if (!mayReplace(this.#checkpoints.get(origin) ?? null, oldSize, next)) return false
    this.#checkpoints.set(origin, { ...next, root: next.root.slice() })
    return true
  }

  async close(): Promise<void> {}
}
