// The default store: one SQLite file in WAL mode with `synchronous=FULL`, to which several processes can write. The
// table `ledger` is compatible with SudoAgent for Python (LEDGER-FORMAT §2); all other data is in separate tables.
import { setTimeout as delay } from 'node:timers/promises'
import { type Hash, isHash } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { LedgerError } from '../../error.js'
import { asLedgerError, codeOf, FileIdentity, followLinks, isFatal, PinnedFile } from '../../file.js'
import { ownFields } from '../../own-fields.js'
import type { OpenQuestionFilter } from '../../port/writer.js'
import { SchemaGuard } from '../../sqlite-file/schema-guard.js'
import {
  type AppendRequest,
  advance,
  aheadOf,
  type LogState,
  requireAuthorizedWriter,
  type Writer,
  type WriterOptions,
  writerOf,
} from '../../write/advance.js'
import { readTail } from '../../write/last-entry.js'
import type { DraftResult, LinkedEntry } from '../../write/link-batch.js'
import { StoreWriter } from '../../write/store-writer.js'
import { warnOfOtherWriters } from '../file-mode.js'
import { SqliteRecords } from './call-records.js'
import {
  busyDelayMs,
  claimFile,
  createTables,
  requireNoOtherDatabases,
  requireSoundLedgerFile,
  setDurable,
  waitWhileBusy,
} from './open.js'
import { SqliteState } from './state.js'

export interface SqliteLedgerOptions extends WriterOptions {
  /** Maximum time that an append waits for another process's transaction, in milliseconds. Default: 10,000. */
  readonly busyTimeoutMs?: number
}

const BUSY_TIMEOUT_MS = 10_000

/**
 * An append-only ledger in a SQLite file. The file is created with mode 0600 if it does not exist.
 *
 * @example
 * const ledger = SqliteLedger.open('ledger.sqlite', { signer: createSigner(key) })
 * await ledger.append(draft) // durable when it resolves
 */
export class SqliteLedger extends StoreWriter {
  readonly #path: string
  readonly #db: Database.Database
  readonly #busyTimeoutMs: number
  /**
   * Detects that the database or its `-wal` was deleted: the writer would otherwise continue to write to a file that
   * no longer has a name.
   */
  readonly #file: FileIdentity
  readonly #wal: PinnedFile
  readonly #statements: Statements
  readonly #state: SqliteState
  readonly #records: SqliteRecords
  readonly #schema: SchemaGuard

  private constructor(path: string, db: Database.Database, writer: Writer, busyTimeoutMs: number) {
    super(writer)
    this.#path = path
    this.#db = db
    this.#busyTimeoutMs = busyTimeoutMs
    this.#statements = prepare(db)
    this.#state = new SqliteState(db, path)
    this.#records = new SqliteRecords(db, this.#state)
    this.#schema = new SchemaGuard(db, () => requireNoOtherDatabases(db, path))
    // Nothing is ever deleted from a ledger, so the database only grows. If the file were truncated, SQLite would
    // continue with cached pages.
    this.#file = new FileIdentity(path, { onlyGrows: true })
    this.#wal = new PinnedFile(`${followLinks(path)}-wal`)
  }

  /**
   * @throws LedgerError LEDGER_NOT_A_LEDGER (a different kind of file, which is left unchanged), LEDGER_DAMAGED
   * (entries, tree and head do not match), KEY_REFUSED, ORIGIN_REFUSED, LEDGER_FINISHED, LEDGER_NOT_FOUND (the folder
   * does not exist), LEDGER_BUSY, LEDGER_NOT_READABLE, LEDGER_WRITE_FAILED; TypeError for an invalid origin
   */
  static open(path: string, options: SqliteLedgerOptions = {}): SqliteLedger {
    const own = ownFields(options)
    const { busyTimeoutMs = BUSY_TIMEOUT_MS } = own
    const writer = writerOf(own)
    try {
      claimFile(path)
      requireSoundLedgerFile(path)
      const ledger = waitWhileBusy(busyTimeoutMs, () => SqliteLedger.#openOnce(path, busyTimeoutMs, writer))
      warnOfOtherWriters(path)
      return ledger
    } catch (error) {
      throw asLedgerError(error, path)
    }
  }

  static #openOnce(path: string, busyTimeoutMs: number, writer: Writer): SqliteLedger {
    const db = new Database(path, { timeout: busyTimeoutMs })
    try {
      db.pragma('trusted_schema = OFF')
      // The file is checked before any change, including the change of `journal_mode`, and again under the lock. Both
      // reads are in one transaction: otherwise a different process could create the table between the reads, and its
      // ledger would look like the database of a different application.
      db.transaction(requireNoOtherDatabases)(db, path)
      setDurable(db, path)
      createTables(db, path)
      const ledger = new SqliteLedger(path, db, writer, busyTimeoutMs)
      ledger.#inspect()
      // From now on `#begin` waits.
      db.pragma('busy_timeout = 0')
      return ledger
    } catch (error) {
      db.close()
      throw error
    }
  }

  async aheadMs(): Promise<number> {
    return aheadOf(this.#lastRecordedAt(), this.writer)
  }

  /** The state is read each time, since other processes also write. */
  #lastRecordedAt(): string | null {
    const last = this.#statements.last.get() as { readonly line: Uint8Array } | undefined
    return last === undefined ? null : readTail(last.line, this.#path).recordedAt
  }

  protected release(): void {
    this.#db.close()
    this.#wal.close()
  }

  /**
   * Checks that this writer may write to the ledger. Entries that the tree does not cover are recovered now, so that
   * appends need not wait for the recovery.
   */
  #inspect(): void {
    this.#statements.begin.run()
    try {
      requireAuthorizedWriter(this.#state.read().ring, this.writer)
      this.#statements.commit.run()
      this.#state.committed()
    } catch (error) {
      if (this.#db.inTransaction) this.#statements.rollback.run()
      throw error
    }
  }

  /**
   * In one transaction, reads the state, links the group to the last entry, and makes entries, tree and head durable
   * together or not at all.
   */
  protected async commit(request: AppendRequest): Promise<readonly DraftResult[]> {
    const plan = await advance(request, await this.#lock(), this.writer, this.#records)
    if (plan.entries.length === 0) {
      this.#statements.rollback.run()
      return plan.results
    }
    this.#insert(plan.entries)
    this.#state.write(plan)
    this.#statements.commit.run()
    this.#state.committed()
    return plan.results
  }

  protected async readFirstHash(): Promise<Hash | null> {
    const hash: unknown = this.#statements.firstHash.get()
    if (hash === undefined) return null
    if (!isHash(hash)) throw new LedgerError('LEDGER_DAMAGED', `\`${this.#path}\`: entry 1 has no hash`)
    return hash
  }

  protected async readOpenQuestions(filter: OpenQuestionFilter): Promise<readonly string[]> {
    return this.#state.questions.requestIds(filter)
  }

  /** Reads under the write lock, in which the call index covers all entries. */
  protected async linesOf(requestId: string): Promise<readonly Uint8Array[]> {
    await this.#lock()
    const lines = [...this.#records.linesOf(requestId)].map(([, line]) => line)
    this.#statements.rollback.run()
    return lines
  }

  /** Takes the write lock, and reads the state of the ledger. */
  async #lock(): Promise<LogState> {
    await this.#begin()
    this.#file.check()
    this.#wal.check()
    this.#schema.require()
    return this.#state.read()
  }

  /**
   * Takes the write lock, and waits if necessary without blocking the event loop: a different ledger object in this
   * process may have the lock and be waiting for its signer.
   */
  async #begin(): Promise<void> {
    const deadline = performance.now() + this.#busyTimeoutMs
    for (let tries = 0; ; tries += 1) {
      try {
        this.#statements.begin.run()
        return
      } catch (error) {
        if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() >= deadline) throw error
      }
      await delay(busyDelayMs(tries))
    }
  }

  #insert(entries: readonly LinkedEntry[]): void {
    for (const { position, line, entryHash, prevEntryHash } of entries) {
      this.#statements.insert.run(position, line, entryHash, prevEntryHash)
    }
  }

  protected abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean } {
    const failure = asLedgerError(error, this.#path)
    try {
      if (this.#db.inTransaction) this.#statements.rollback.run()
    } catch {
      return { failure, isFinal: true }
    }
    return { failure, isFinal: isFatal(error) || failure.code === 'LEDGER_DAMAGED' }
  }
}

type Statements = Record<'begin' | 'commit' | 'rollback' | 'insert' | 'last' | 'firstHash', Database.Statement>

function prepare(db: Database.Database): Statements {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    last: db.prepare('SELECT CAST(entry_json AS BLOB) AS line FROM ledger NOT INDEXED ORDER BY id DESC LIMIT 1'),
    firstHash: db.prepare('SELECT entry_hash FROM ledger NOT INDEXED WHERE id = 1').pluck(),
    insert: db.prepare('INSERT INTO ledger (id, entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?, ?)'),
  }
}
