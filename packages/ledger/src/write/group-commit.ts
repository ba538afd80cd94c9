// Implements group commit: concurrent appends become durable in one commit, in order of arrival. The first append is
// committed immediately; appends that arrive during that commit form the next group. There is no timer, so a single
// caller only waits for its own write.

import type { EntryDraft } from '../entry/entry.js'
import { LedgerError } from '../error.js'
import { COMMIT_BYTES_MAX, COMMIT_ENTRIES_MAX } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { AppendedEntry, AppendOptions, PreparedEntry } from '../port/writer.js'
import { type EncodedDraft, encodeDraft, withCreatedAt } from './encode-draft.js'

/** Maximum time that consecutive groups may run without a turn of the event loop, in milliseconds. */
const BUSY_MS_MAX = 1

interface Waiting {
  readonly draft: EncodedDraft
  readonly resolve: (entry: AppendedEntry) => void
  readonly reject: (error: unknown) => void
}

/** The result of a draft: the entry, or the reason why the draft was refused. */
type GroupResult = AppendedEntry | LedgerError

/**
 * Queues appends for a store's `commit`, which makes all that it takes of a group durable, or nothing, and says of each
 * draft what became of it.
 */
export class GroupCommit {
  readonly #commit: (drafts: readonly EncodedDraft[]) => Promise<readonly GroupResult[]>
  readonly #ready: (() => Promise<void>) | null
  readonly #onEncoded: ((draft: EncodedDraft) => void) | null
  #waiting: Waiting[] = []
  #alone: (() => Promise<void>)[] = []
  #running: Promise<void> | null = null
  #closed = false
  /** Start time of the first work since the last turn of the event loop; null if there was no work. */
  #busySince: number | null = null

  /**
   * @param ready - awaited before a group is formed, so that appends that arrive while the store waits for its lock
   * join the group. Must not throw; `commit` is always called after it
   * @param onEncoded - called with each draft before it is queued, for work that does not need the lock. Must not
   * throw
   */
  constructor(
    commit: (drafts: readonly EncodedDraft[]) => Promise<readonly GroupResult[]>,
    ready: (() => Promise<void>) | null = null,
    onEncoded: ((draft: EncodedDraft) => void) | null = null,
  ) {
    this.#commit = commit
    this.#ready = ready
    this.#onEncoded = onEncoded
  }

  /** @throws LedgerError ENTRY_REFUSED, LEDGER_CLOSED, or any error from the store's commit (as a rejection) */
  append(draft: EntryDraft, options?: AppendOptions): Promise<AppendedEntry> {
    return this.add(() => encodeDraft(draft, options))
  }

  /** Like `append`, for a draft that is encoded if the ledger is open. @throws also the errors of `encode` */
  async add(encode: () => EncodedDraft): Promise<AppendedEntry> {
    if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the ledger is closed')
    return this.#enqueue(encode())
  }

  /** Encodes a draft in advance. @throws LedgerError ENTRY_REFUSED */
  prepare(draft: EntryDraft): PreparedEntry {
    const encoded = encodeDraft(draft)
    return {
      append: (createdAt, options = {}) =>
        this.add(() => {
          const { once = false, decidedAt = null } = ownFields(options)
          return { ...withCreatedAt(encoded, createdAt), once, decidedAt }
        }),
    }
  }

  #enqueue(encoded: EncodedDraft): Promise<AppendedEntry> {
    this.#onEncoded?.(encoded)
    const done = new Promise<AppendedEntry>((resolve, reject) =>
      this.#waiting.push({ draft: encoded, resolve, reject }),
    )
    this.#running ??= this.#run()
    return done
  }

  /**
   * Runs `work` between groups, before the queued appends.
   *
   * @throws LedgerError LEDGER_CLOSED, or any error from `work` (as a rejection)
   */
  runExclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new LedgerError('LEDGER_CLOSED', 'the ledger is closed'))
    const done = new Promise<T>((resolve, reject) => this.#alone.push(() => work().then(resolve, reject)))
    this.#running ??= this.#run()
    return done
  }

  /** Refuses new appends and waits for pending appends. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Waits for one microtask, so that appends made at the same time are in the first group together.
    await null
    while (this.#alone.length > 0 || this.#waiting.length > 0) {
      await this.#letOthersIn()
      const work = this.#alone.shift()
      if (work === undefined && this.#ready !== null) await this.#ready()
      await (work === undefined ? this.#flush(this.#takeGroup()) : work())
    }
    this.#running = null
  }

  /**
   * Yields to the event loop after a millisecond of continuous work. Callers that await only the ledger resume in
   * microtasks; without this, timers and abort signals would starve. A caller that itself yields to the event loop
   * never waits here.
   */
  async #letOthersIn(): Promise<void> {
    const now = performance.now()
    if (this.#busySince === null) {
      this.#busySince = now
      setImmediate(() => {
        this.#busySince = null
      })
    } else if (now - this.#busySince > BUSY_MS_MAX) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Takes at least one append, up to the maximum number of entries and bytes for one commit. */
  #takeGroup(): readonly Waiting[] {
    let bytes = 0
    const more = this.#waiting.findIndex(({ draft }, index) => {
      bytes += draft.bytes
      return index >= COMMIT_ENTRIES_MAX || (index > 0 && bytes > COMMIT_BYTES_MAX)
    })
    return this.#waiting.splice(0, more === -1 ? this.#waiting.length : more)
  }

  async #flush(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#commit(group.map(({ draft }) => draft))
      for (const [index, { resolve, reject }] of group.entries()) {
        const result = results[index]
        if (result === undefined)
          reject(new LedgerError('LEDGER_WRITE_FAILED', 'the store did not return an entry of a group'))
        else if (result instanceof LedgerError) reject(result)
        else resolve({ position: result.position, entryHash: result.entryHash, recordedAt: result.recordedAt })
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
