/**
 * A ledger in PostgreSQL for writers on many hosts. Its entries, hashes, tree and head are the same as in any other
 * store.
 *
 *   head    one row per ledger: size, last entry_hash, frontier of the tree, signed checkpoint, epoch
 *   entry   (ledger, position) → the canonical line and its hashes; never updated or deleted
 *   tile    (ledger, level, tile) → 32 bytes per node, in the layout of C2SP tlog-tiles
 *
 * The row lock of `head` serializes the writers (`commit.ts`). The writer that wrote last sends a single statement
 * without a lock; the statement changes nothing if the size or the epoch has changed. Any other writer locks the head,
 * reads it, links and signs its entries, and raises the epoch. Only the statement in `statement.ts` writes. If the
 * connection is lost after that statement was sent, the writer looks for its entry by hash on a new connection before
 * it answers.
 *
 *   const ledger = await PostgresLedger.open('postgres://agent1@db.example.com/evidence?ledger=payments', { signer })
 *   const { position } = await ledger.append(draft) // durable on the server, and on a synchronous standby
 */
import { randomUUID } from 'node:crypto'
import { type Hash, isHash } from '@sudoagent/crypto'
import { type EntryDraft, LedgerError, type PreparedEntry } from '@sudoagent/ledger'
import {
  type AppendRequest,
  callNumber,
  type DraftResult,
  type OpenQuestionFilter,
  ownFields,
  StoreWriter,
  type Writer,
  type WriterOptions,
  writerOf,
} from '@sudoagent/ledger/store'
import { asLedgerError } from '../session/failure.js'
import type { SynchronousCommit } from '../session/session-settings.js'
import { parseTarget, type Target } from '../session/target.js'
import { LedgerCommit } from './commit.js'

/** Options of the writer. `clock` defaults to the database clock. */
export interface PostgresLedgerOptions extends WriterOptions {
  /** How long an append waits for other writers or an unavailable server, in milliseconds. Default: 10,000. */
  readonly busyTimeoutMs?: number
  /**
   * Additional time limit for a commit, in milliseconds, for a slow disk or standby. After this time, the writer
   * looks up the result. Default: 5,000.
   */
  readonly commitTimeoutMs?: number
  /**
   * Accepts a server with this `synchronous_commit` setting, even if the setting is weaker than `on`. A weaker setting
   * can lose appends that were already acknowledged.
   */
  readonly synchronousCommit?: SynchronousCommit
}

const BUSY_TIMEOUT_MS = 10_000
const COMMIT_TIMEOUT_MS = 5_000

/** Maximum timeout, in milliseconds. */
const TIMEOUT_MS_MAX = 600_000

/**
 * An append-only ledger that many hosts share. A missing ledger is created; the tables must exist (`sudoagent
 * postgres init`).
 *
 * @example
 *   const ledger = await PostgresLedger.open('postgres://agent@db.example.com/evidence?ledger=payments', { signer })
 *   await ledger.append(draft) // durable when it resolves
 */
export class PostgresLedger extends StoreWriter {
  readonly #commit: LedgerCommit
  readonly #shown: string
  readonly #opened: Promise<void>

  private constructor(target: Target, commit: LedgerCommit, writer: Writer) {
    const opened = commit.open()
    // A caller that does not await `opened` receives its error from the first append.
    opened.catch(() => {})
    super(writer, {
      ready: async () => {
        await opened.catch(() => {})
        await commit.getReady()
      },
      // Computed before the write, because other writers wait for the lock during the write.
      onEncoded: ({ requestId }) => {
        if (requestId !== null) callNumber(requestId)
      },
    })
    this.#shown = target.shown
    this.#commit = commit
    this.#opened = opened
  }

  /**
   * @param url - `postgres://user@host/database?ledger=name`; the password comes from PGPASSWORD, PGPASSFILE or
   *   ~/.pgpass
   * @throws LedgerError LEDGER_NOT_FOUND (invalid URL or missing database), LEDGER_NOT_A_LEDGER (missing tables, or
   *   tables of another version), LEDGER_WRITE_FAILED (the server is unreachable, read-only, or can lose answered
   *   commits), LEDGER_NOT_READABLE (the server refuses the login), LEDGER_DAMAGED, KEY_REFUSED, ORIGIN_REFUSED,
   *   LEDGER_FINISHED, LEDGER_BUSY; TypeError for an invalid origin or timeout
   */
  static async open(url: string, options: PostgresLedgerOptions = {}): Promise<PostgresLedger> {
    const ledger = PostgresLedger.start(url, options)
    try {
      await ledger.#opened
    } catch (error) {
      await ledger.close()
      throw error
    }
    return ledger
  }

  /** Like `open`, but returns immediately. If opening fails, the first append rejects with the error. */
  static start(url: string, options: PostgresLedgerOptions = {}): PostgresLedger {
    const own = ownFields(options)
    const {
      busyTimeoutMs = BUSY_TIMEOUT_MS,
      commitTimeoutMs = COMMIT_TIMEOUT_MS,
      synchronousCommit = 'on',
      clock,
    } = own
    const target = parseTarget(url)
    if (target.ledger === null) {
      throw new LedgerError('LEDGER_NOT_FOUND', `\`${target.shown}\` does not name a ledger`, {
        hint: 'add `?ledger=payments`',
      })
    }
    requireTimeout('busyTimeoutMs', busyTimeoutMs)
    requireTimeout('commitTimeoutMs', commitTimeoutMs)
    const writer = writerOf(own)
    const commit = new LedgerCommit({
      target,
      name: target.ledger,
      writer,
      ownClock: clock !== undefined,
      writerId: randomUUID(),
      busyTimeoutMs,
      commitTimeoutMs,
      synchronousCommit,
    })
    return new PostgresLedger(target, commit, writer)
  }

  prepare(draft: EntryDraft): PreparedEntry {
    return this.encodeAhead(draft)
  }

  /** Uses the database clock, or the caller's clock if one is set. */
  aheadMs(): Promise<number> {
    return this.runExclusive(async () => {
      await this.#opened
      return await this.#commit.aheadMs()
    })
  }

  protected async commit(request: AppendRequest): Promise<readonly DraftResult[]> {
    await this.#opened
    return await this.#commit.run(request)
  }

  protected async readFirstHash(): Promise<Hash | null> {
    await this.#opened
    const hash = await (await this.#commit.records()).firstHash()
    if (hash === null) return null
    if (!isHash(hash)) throw new LedgerError('LEDGER_DAMAGED', `\`${this.#shown}\`: entry 1 has no hash`)
    return hash
  }

  protected async readOpenQuestions(filter: OpenQuestionFilter): Promise<readonly string[]> {
    await this.#opened
    return await (await this.#commit.records()).openQuestions(filter)
  }

  protected async linesOf(requestId: string): Promise<readonly Uint8Array[]> {
    await this.#opened
    const lines = await (await this.#commit.records()).linesOf([requestId])
    return lines.map(({ line }) => line)
  }

  /**
   * The server rolled back the failed write. If entries that this writer has seen are missing, this is a different
   * ledger.
   */
  protected abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean } {
    const failure = asLedgerError(error, this.#shown, 'LEDGER_WRITE_FAILED')
    return { failure, isFinal: failure.code === 'LEDGER_DAMAGED' }
  }

  protected async release(): Promise<void> {
    await this.#opened.catch(() => {})
    await this.#commit.close()
  }
}

function requireTimeout(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= TIMEOUT_MS_MAX) return
  throw new TypeError(`\`${name}\` must be an integer from 1 to ${TIMEOUT_MS_MAX}`)
}
