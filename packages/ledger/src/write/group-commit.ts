// Group commit: appends that are waiting together become durable together, in the order in which they came. The first one does not wait for
// company: it is committed at once, and whatever arrives meanwhile forms the next group. No timer anywhere, so a lone caller pays for one
// write and nothing else.

import type { EntryDraft } from '../entry/entry.js'
import { LedgerError } from '../error.js'
import { COMMIT_BYTES_MAX, COMMIT_ENTRIES_MAX } from '../limits.js'
import type { AppendedEntry, PreparedEntry } from '../port/writer.js'
import { type EncodedDraft, encodeDraft, withCreatedAt } from './encode-draft.js'
import { ApprovalOver } from './link-batch.js'

/** How long groups may follow one another before everybody else in the process is heard, in milliseconds. */
const BUSY_MS_MAX = 1

interface Waiting {
  readonly draft: EncodedDraft
  readonly resolve: (entry: AppendedEntry) => void
  readonly reject: (error: unknown) => void
}

/** Queues appends in front of a store's `commit`, which makes a group durable: all of it, or none. */
export class GroupCommit {
  readonly #commit: (drafts: readonly EncodedDraft[]) => Promise<readonly AppendedEntry[]>
  readonly #ready: (() => Promise<void>) | null
  readonly #onEncoded: ((draft: EncodedDraft) => void) | null
  #waiting: Waiting[] = []
  #alone: (() => Promise<void>)[] = []
  #running: Promise<void> | null = null
  #closed = false
  /** When the first work since the last turn of the event loop began; null while there was none. */
  #busySince: number | null = null

  /**
   * @param ready - waited for before a group is taken: whatever arrives while a store waits for its turn belongs to the group. It must not throw;
   * `commit` is always called after it
   * @param onEncoded - called with each draft before it waits for anybody: what can be done for it outside of the store's lock. It must not throw
   */
  constructor(
    commit: (drafts: readonly EncodedDraft[]) => Promise<readonly AppendedEntry[]>,
    ready: (() => Promise<void>) | null = null,
    onEncoded: ((draft: EncodedDraft) => void) | null = null,
  ) {
    this.#commit = commit
    this.#ready = ready
    this.#onEncoded = onEncoded
  }

  /** @throws LedgerError ENTRY_REFUSED, LEDGER_CLOSED, or what the store's commit threw (as a rejection) */
  async append(draft: EntryDraft): Promise<AppendedEntry> {
    if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the ledger is closed')
    return this.#enqueue(encodeDraft(draft))
  }

  /** A draft encoded ahead. @throws LedgerError ENTRY_REFUSED */
  prepare(draft: EntryDraft): PreparedEntry {
    const encoded = encodeDraft(draft)
    return {
      append: async (createdAt) => {
        if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the ledger is closed')
        return this.#enqueue(withCreatedAt(encoded, createdAt))
      },
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
   * Does `work` with no group under way, before the appends that are waiting.
   *
   * @throws LedgerError LEDGER_CLOSED, or what `work` threw (as a rejection)
   */
  runExclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new LedgerError('LEDGER_CLOSED', 'the ledger is closed'))
    const done = new Promise<T>((resolve, reject) => this.#alone.push(() => work().then(resolve, reject)))
    this.#running ??= this.#run()
    return done
  }

  /** Refuses new appends and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue: calls that were made together get into the first group together.
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
   * Callers that wait for nothing but the ledger come back within microtasks, so that group follows group and no timer, signal or deadline is
   * heard. After a millisecond of that the event loop gets its turn; a caller who lets it turn by himself never waits for this.
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

  /** At least one, and no more than a commit may hold, in entries and in bytes. */
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
      const entries = await this.#commit(group.map(({ draft }) => draft))
      for (const [index, { resolve, reject }] of group.entries()) {
        const entry = entries[index]
        if (entry === undefined) reject(new LedgerError('LEDGER_WRITE_FAILED', 'the store lost an entry of a group'))
        else resolve({ position: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt })
      }
    } catch (error) {
      const isMeant = ({ draft }: Waiting): boolean => !(error instanceof ApprovalOver) || error.draft === draft
      for (const one of group) if (isMeant(one)) one.reject(error)
      this.#waiting.unshift(...group.filter((one) => !isMeant(one)))
    }
  }
}
