/**
 * The common part of all store writers: the append queue, the genesis, control entries, and the refusal of further
 * writes after a final failure.
 *
 * A store extends `StoreWriter` and implements: `commit` makes one step durable, `abandon` undoes a failed step,
 * `readFirstHash`, `linesOf` and `readOpenQuestions` read, and `release` closes the store.
 *
 *     append(draft), ask(question), recordOutcome(id)
 *                     GroupCommit: concurrent appends become one step
 *     begin()         a step without drafts, if the ledger is empty
 *     addKey(), retireKey(), seal(), stop(), resume()
 *                     a step of one control entry, between groups of appends
 *     close()         waits for pending steps, then calls `release`, once
 *
 * @example
 * class MemoryLedger extends StoreWriter {
 *   protected async commit(request: AppendRequest) {
 *     const plan = await advance(request, this.#state, this.writer)
 *     // … make `plan.entries`, `plan.nodes` and `plan.checkpoint` durable together, if there are entries …
 *     this.#state = plan.state
 *     return plan.results
 *   }
 * }
 */
import type { Hash, Signer } from '@sudoagent/crypto'
import type { StopScope } from '@sudoagent/crypto/entry'
import type { EntryDraft } from '../entry/entry.js'
import { LedgerError } from '../error.js'
import type {
  AppendedEntry,
  AppendOptions,
  AskedQuestion,
  ControlNote,
  ControlWriter,
  LedgerWriter,
  OpenQuestionFilter,
  OutcomeReport,
  PreparedEntry,
  Question,
  StoppedCalls,
} from '../port/writer.js'
import type { OpenStop } from '../standing/stops.js'
import type { AppendRequest, Writer } from './advance.js'
import type { EncodedDraft } from './encode-draft.js'
import { deadlineOf, encodeQuestion } from './encode-question.js'
import { GroupCommit } from './group-commit.js'
import { type DraftResult, readClock } from './link-batch.js'
import { addKey, endStop, type MakeControl, openStop, retireKey, sealLedger, stopBlock } from './make-control.js'
import { outcomeOf } from './outcome-of.js'

/** Hooks for work that a store can do before its lock is taken. Hooks must not throw. */
export interface StoreHooks {
  /**
   * Awaited before a group is formed, so that appends that arrive while the store waits for its lock join the group.
   */
  readonly ready?: () => Promise<void>
  /** Called with each draft as soon as it is encoded. */
  readonly onEncoded?: (draft: EncodedDraft) => void
}

export abstract class StoreWriter implements LedgerWriter, ControlWriter {
  protected readonly writer: Writer
  readonly #commits: GroupCommit
  #failed: LedgerError | null = null
  /** An entry never changes, so it is read once. */
  #firstHash: Hash | null = null
  #closing: Promise<void> | null = null

  protected constructor(writer: Writer, { ready, onEncoded }: StoreHooks = {}) {
    this.writer = writer
    const whenUsable = async (): Promise<void> => {
      if (this.#failed === null) await ready?.()
    }
    this.#commits = new GroupCommit(
      (drafts) => this.#step({ drafts }),
      ready === undefined ? null : whenUsable,
      onEncoded ?? null,
    )
  }

  /**
   * Makes one step durable: entries, tree nodes and head together, or nothing.
   *
   * @returns what became of each requested entry (`CommitPlan.results`)
   */
  protected abstract commit(request: AppendRequest): Promise<readonly DraftResult[]>

  /**
   * Undoes an incomplete `commit`, or an incomplete read of entries.
   *
   * @returns the error for the caller, and `isFinal` if the content of the store is now unknown, so that nothing more
   * may be written
   */
  protected abstract abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean }

  /** Closes files and connections. Called once, when no step is pending. */
  protected abstract release(): void | Promise<void>

  append(draft: EntryDraft, options?: AppendOptions): Promise<AppendedEntry> {
    return this.#commits.append(draft, options)
  }

  async ask(question: Question, options?: Pick<AppendOptions, 'once'>): Promise<AskedQuestion> {
    const entry = await this.#commits.add(() => encodeQuestion(question, readClock(this.writer.clock), options))
    const ledger = await this.firstHash()
    if (ledger === null) throw new LedgerError('LEDGER_DAMAGED', 'the ledger has no first entry')
    return { ...entry, expiresAt: deadlineOf(entry.recordedAt, question.ttlMs), ledger }
  }

  async firstHash(): Promise<Hash | null> {
    this.#firstHash ??= await this.#alone(() => this.readFirstHash())
    return this.#firstHash
  }

  async recordOutcome(requestId: string, report: OutcomeReport): Promise<AppendedEntry> {
    const lines = await this.#alone(() => this.linesOf(requestId))
    return await this.append(outcomeOf(requestId, lines, report), { once: true })
  }

  openQuestions(filter: OpenQuestionFilter = {}): Promise<readonly string[]> {
    return this.#alone(() => this.readOpenQuestions(filter))
  }

  /** See `LedgerWriter.openQuestions`. */
  protected abstract readOpenQuestions(filter: OpenQuestionFilter): Promise<readonly string[]>

  /** The hash of the first entry; null for an empty ledger. */
  protected abstract readFirstHash(): Promise<Hash | null>

  /** The lines that may belong to a call, in order. */
  protected abstract linesOf(requestId: string): Promise<readonly Uint8Array[]>

  async begin(): Promise<void> {
    await this.#commits.runExclusive(() => this.#step({ drafts: [] }))
  }

  /** See `LedgerWriter.aheadMs`; `aheadOf` computes it from the time of the last entry. */
  abstract aheadMs(): Promise<number>

  addKey(signer: Signer): Promise<AppendedEntry> {
    return this.#recorded(addKey(signer))
  }

  retireKey(keyId: string): Promise<AppendedEntry> {
    return this.#recorded(retireKey(keyId))
  }

  seal(): Promise<AppendedEntry> {
    return this.#recorded(sealLedger())
  }

  async stop(scope: StopScope, note: ControlNote): Promise<StoppedCalls> {
    const block = stopBlock(scope, note, globalThis.crypto.randomUUID())
    let same: OpenStop | null = null
    const entry = await this.#control(
      openStop(block, (open) => {
        same = open
      }),
    )
    const { stopId, position } = entry === null ? (same as unknown as OpenStop) : { stopId: block.stop_id, ...entry }
    return { stopId, position, entry }
  }

  async resume(stopId: string, note: ControlNote): Promise<AppendedEntry> {
    return this.#recorded(endStop(stopId, note))
  }

  close(): Promise<void> {
    // The store is released only once: a second `closeSync` could close a different file that has reused the
    // descriptor.
    this.#closing ??= this.#commits.close().then(() => this.release())
    return this.#closing
  }

  /** Implements `LedgerWriter.prepare` for a store that supports it. */
  protected encodeAhead(draft: EntryDraft): PreparedEntry {
    return this.#commits.prepare(draft)
  }

  /** Runs `work` when no step is pending. */
  protected runExclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#commits.runExclusive(work)
  }

  async #recorded(control: MakeControl): Promise<AppendedEntry> {
    const entry = await this.#control(control)
    if (entry === null) throw new TypeError('the store did not return an entry')
    return entry
  }

  /** Appends a control entry; null if there was nothing to record. */
  async #control(control: MakeControl): Promise<AppendedEntry | null> {
    const [result] = await this.#commits.runExclusive(() => this.#step({ control }))
    if (result instanceof LedgerError) throw result
    if (result === undefined) return null
    return { position: result.position, entryHash: result.entryHash, recordedAt: result.recordedAt }
  }

  #step(request: AppendRequest): Promise<readonly DraftResult[]> {
    return this.#guarded(() => this.commit(request))
  }

  /** Reads when no step is pending. */
  #alone<T>(read: () => Promise<T>): Promise<T> {
    return this.#commits.runExclusive(() => this.#guarded(read))
  }

  /** Undoes work of the store that fails. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    // After an I/O error, the content of the disk is unknown, and a second fsync may report success although data was
    // lost.
    if (this.#failed !== null) throw this.#failed
    try {
      return await work()
    } catch (error) {
      const { failure, isFinal } = this.abandon(error)
      if (isFinal) this.#failed = failure
      throw failure
    }
  }
}
