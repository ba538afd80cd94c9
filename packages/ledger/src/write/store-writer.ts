/**
 * What is the same for the writer of every store: the queue in front of it, the genesis, control entries, and that a writer that has failed for
 * good stays failed.
 *
 * A store extends `StoreWriter` and says three things: how one step of the ledger becomes durable, how a step that failed is undone, and what
 * is closed at the end.
 *
 *     append(draft)   GroupCommit: appends that wait together become one step
 *     begin()         a step without a draft, where the ledger is empty
 *     addKey(), retireKey(), seal()
 *                     a step of one control entry, with no append under way
 *     close()         waits for the steps under way, then calls `release`, once
 *
 * @example
 * class MemoryLedger extends StoreWriter {
 *   protected async commit(request: AppendRequest) {
 *     const plan = await advance(request, this.#state, this.writer)
 *     // … make `plan.entries`, `plan.nodes` and `plan.checkpoint` durable together …
 *     this.#state = plan.state
 *     return plan.asked
 *   }
 * }
 */
import type { Signer } from '@sudoagent/crypto'
import type { EntryDraft } from '../entry/entry.js'
import type { LedgerError } from '../error.js'
import type { AppendedEntry, ControlWriter, LedgerWriter, PreparedEntry } from '../port/writer.js'
import {
  type AppendRequest,
  addKey,
  type MakeControl,
  retireKey,
  sealLedger,
  type Writer,
  writeGenesis,
} from './advance.js'
import type { EncodedDraft } from './encode-draft.js'
import { GroupCommit } from './group-commit.js'
import { type LinkedEntry, singleEntry } from './link-batch.js'

/** What a store can do before its lock is taken. Neither may throw. */
export interface StoreHooks {
  /** Awaited before a group is taken: appends that arrive while the store waits for its turn join the group. */
  readonly ready?: () => Promise<void>
  /** Called with each draft as soon as it is encoded. */
  readonly onEncoded?: (draft: EncodedDraft) => void
}

export abstract class StoreWriter implements LedgerWriter, ControlWriter {
  protected readonly writer: Writer
  readonly #commits: GroupCommit
  #failed: LedgerError | null = null
  #closing: Promise<void> | null = null

  protected constructor(writer: Writer, { ready, onEncoded }: StoreHooks = {}) {
    this.writer = writer
    this.#commits = new GroupCommit(
      (drafts) => this.#step({ drafts }),
      ready === undefined ? null : async () => void (this.#failed === null && (await ready())),
      onEncoded ?? null,
    )
  }

  /**
   * Makes one step durable: entries, nodes of the tree and head together, or nothing of them.
   *
   * @returns the entries that the caller asked for, as `CommitPlan.asked`
   */
  protected abstract commit(request: AppendRequest): Promise<readonly LinkedEntry[]>

  /**
   * Undoes what a failed `commit` left half done.
   *
   * @returns the error for the caller; `isFinal` when what the store holds is unknown from now on, so that nothing may be written any more
   */
  protected abstract abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean }

  /** Closes files and connections; called once, with no step under way. */
  protected abstract release(): void | Promise<void>

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return this.#commits.append(draft)
  }

  begin(): Promise<void> {
    return writeGenesis((request) => this.#commits.runExclusive(() => this.#step(request)))
  }

  /** See `LedgerWriter.aheadMs`; `aheadOf` computes it from the time of the last entry. */
  abstract aheadMs(): Promise<number>

  addKey(signer: Signer): Promise<AppendedEntry> {
    return this.#control(addKey(signer))
  }

  retireKey(keyId: string): Promise<AppendedEntry> {
    return this.#control(retireKey(keyId))
  }

  seal(): Promise<AppendedEntry> {
    return this.#control(sealLedger())
  }

  close(): Promise<void> {
    // Once: a second `closeSync` could close a file that was given the same descriptor since.
    this.#closing ??= this.#commits.close().then(() => this.release())
    return this.#closing
  }

  /** `LedgerWriter.prepare`, for a store that offers it. */
  protected encodeAhead(draft: EntryDraft): PreparedEntry {
    return this.#commits.prepare(draft)
  }

  /** Runs `work` with no step under way. */
  protected runExclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#commits.runExclusive(work)
  }

  #control(control: MakeControl): Promise<AppendedEntry> {
    return this.#commits.runExclusive(async () => singleEntry(await this.#step({ control })))
  }

  async #step(request: AppendRequest): Promise<readonly LinkedEntry[]> {
    // After an I/O error nobody knows what the disk holds, and a second fsync may claim success for bytes that were dropped.
    if (this.#failed !== null) throw this.#failed
    try {
      return await this.commit(request)
    } catch (error) {
      const { failure, isFinal } = this.abandon(error)
      if (isFinal) this.#failed = failure
      throw failure
    }
  }
}
