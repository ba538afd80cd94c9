/**
 * A ledger in PostgreSQL, for writers on many hosts: the same entries, hashes, tree and head as in any other store.
 *
 *     head    one row per ledger: size, last entry_hash, frontier of the tree, signed checkpoint, epoch
 *     entry   (ledger, position) → the canonical line and its hashes; never updated or deleted
 *     tile    (ledger, level, tile) → 32 bytes per node, as C2SP tlog-tiles lays them out
 *
 * Writers take turns by the row lock of `head`. `commit.ts` decides how: a writer that was also the last one sends one
 * statement without a lock, which changes nothing if size or epoch have moved; any other writer locks the head, reads it,
 * links and signs behind it, and raises the epoch. `statement.ts` is the one statement that writes. When the connection
 * is lost after that statement was sent, the writer looks for its entry by hash on a new connection before it answers.
 *
 *     const ledger = await PostgresLedger.open('postgres://agent1@db.example.com/evidence?ledger=payments', { signer })
 *     const { position } = await ledger.append(draft) // durable on the server, and on a synchronous standby
 */
import { randomUUID } from 'node:crypto'
import { type EntryDraft, LedgerError, type PreparedEntry } from '@sudoagent/ledger'
import {
  type AppendRequest,
  callNumber,
  type LinkedEntry,
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

/** `clock` is the database's unless it is given. */
export interface PostgresLedgerOptions extends WriterOptions {
  /** How long an append waits for other writers, in milliseconds, and for a server that is away. 10,000 unless told. */
  readonly busyTimeoutMs?: number
  /** How long the server may take for a commit beyond that: its disk, a standby that has to confirm. Then the writer finds out. 5,000 unless told. */
  readonly commitTimeoutMs?: number
  /** Accepts a server whose `synchronous_commit` is this and weaker than `on`; what was answered can then be lost. */
  readonly synchronousCommit?: SynchronousCommit
}

const BUSY_TIMEOUT_MS = 10_000
const COMMIT_TIMEOUT_MS = 5_000

/** Longer than this no caller should wait for a place in the ledger. */
const TIMEOUT_MS_MAX = 600_000

/**
 * An append-only ledger that many hosts share. It is made when it is not there; the tables must be (`sudoagent postgres init`).
 *
 * @example
 * const ledger = await PostgresLedger.open('postgres://agent@db.example.com/evidence?ledger=payments', { signer })
 * await ledger.append(draft) // durable when it resolves
 */
export class PostgresLedger extends StoreWriter {
  readonly #commit: LedgerCommit
  readonly #shown: string
  readonly #opened: Promise<void>

  private constructor(target: Target, commit: LedgerCommit, writer: Writer) {
    const opened = commit.open()
    // Whoever does not wait for it hears of it from the first append.
    opened.catch(() => {})
    super(writer, {
      ready: async () => {
        await opened.catch(() => {})
        await commit.getReady()
      },
      // Known by the time it is written, when everybody else waits for the lock.
      onEncoded: ({ requestId }) => {
        if (requestId !== null) callNumber(requestId)
      },
    })
    this.#shown = target.shown
    this.#commit = commit
    this.#opened = opened
  }

  /**
   * @param url - `postgres://user@host/database?ledger=name`; the password comes from PGPASSWORD, PGPASSFILE or ~/.pgpass
   * @throws LedgerError LEDGER_NOT_FOUND (a URL or database that is none), LEDGER_NOT_A_LEDGER (no tables of ours, or of another version),
   * LEDGER_WRITE_FAILED (the server cannot be reached, is read-only, or answers commits that can be lost), LEDGER_NOT_READABLE (it does not let
   * us in), LEDGER_DAMAGED, KEY_REFUSED, ORIGIN_REFUSED, LEDGER_FINISHED, LEDGER_BUSY; TypeError for an origin that cannot name a log, or a
   * timeout that is none
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

  /** As `open`, without waiting: what would have been thrown rejects the first append. */
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
      throw new LedgerError('LEDGER_NOT_FOUND', `\`${target.shown}\` names no ledger`, {
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

  /** By the clock of the database, unless there is one of the caller's. */
  aheadMs(): Promise<number> {
    return this.runExclusive(async () => {
      await this.#opened
      return await this.#commit.aheadMs()
    })
  }

  protected async commit(request: AppendRequest): Promise<readonly LinkedEntry[]> {
    await this.#opened
    return await this.#commit.run(request)
  }

  /** The server has taken back what failed. Where what this writer has seen is gone, it is not the ledger that it was writing. */
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
