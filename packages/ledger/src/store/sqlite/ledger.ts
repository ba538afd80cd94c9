// The default store: one SQLite file, WAL, `synchronous=FULL`, several writing processes. The table is the one that SudoAgent for Python
// made and reads (LEDGER-FORMAT §2); whatever else we keep stands beside it.
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { LedgerError } from '../../error.js'
import { asLedgerError, codeOf, FileIdentity, followLinks, isFatal, PinnedFile } from '../../file.js'
import { ownFields } from '../../own-fields.js'
import { SchemaGuard } from '../../sqlite-file/schema-guard.js'
import {
  type AppendRequest,
  advance,
  aheadOf,
  refuseWriter,
  type Writer,
  type WriterOptions,
  writerOf,
} from '../../write/advance.js'
import { readTail } from '../../write/last-entry.js'
import type { LinkedEntry } from '../../write/link-batch.js'
import { StoreWriter } from '../../write/store-writer.js'
import { warnOfOtherWriters } from '../file-mode.js'
import {
  busyDelayMs,
  claimFile,
  createTables,
  refuseOtherDatabases,
  requireSoundLedgerFile,
  setDurable,
  waitWhileBusy,
} from './open.js'
import { SqliteState } from './state.js'

export interface SqliteLedgerOptions extends WriterOptions {
  /** How long an append waits for another process's transaction, in milliseconds. 10,000 unless told. */
  readonly busyTimeoutMs?: number
}

const BUSY_TIMEOUT_MS = 10_000

/**
 * An append-only ledger in a SQLite file; the file is created (mode 0600) when it is not there.
 *
 * @example
 * const ledger = SqliteLedger.open('ledger.sqlite', { signer: createSigner(key) })
 * await ledger.append(draft) // durable when it resolves
 */
export class SqliteLedger extends StoreWriter {
  readonly #path: string
  readonly #db: Database.Database
  readonly #busyTimeoutMs: number
  /** Of the database and of its `-wal`: with either deleted under it, a writer would go on writing into a file that nobody can find. */
  readonly #file: FileIdentity
  readonly #wal: PinnedFile
  readonly #statements: Statements
  readonly #state: SqliteState
  readonly #schema: SchemaGuard

  private constructor(path: string, db: Database.Database, writer: Writer, busyTimeoutMs: number) {
    super(writer)
    this.#path = path
    this.#db = db
    this.#busyTimeoutMs = busyTimeoutMs
    this.#statements = prepare(db)
    this.#state = new SqliteState(db, path)
    this.#schema = new SchemaGuard(db, () => refuseOtherDatabases(db, path))
    // Nothing is ever deleted from a ledger, so that its database only grows; SQLite would go on from the pages that it holds in memory.
    this.#file = new FileIdentity(path, { onlyGrows: true })
    this.#wal = new PinnedFile(`${followLinks(path)}-wal`)
  }

  /**
   * @throws LedgerError LEDGER_NOT_A_LEDGER (the file is something else; it is left alone), LEDGER_DAMAGED (entries, tree and head do not belong
   * together), KEY_REFUSED, ORIGIN_REFUSED, LEDGER_FINISHED, LEDGER_NOT_FOUND (the folder does not exist), LEDGER_BUSY, LEDGER_NOT_READABLE,
   * LEDGER_WRITE_FAILED; TypeError for an origin that cannot name a log
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
      // First of all, and again under the lock: `journal_mode` is a change, too. In one transaction: between two reads another process that
      // starts at the same time may have made the table, and its ledger is not somebody else's database.
      db.transaction(refuseOtherDatabases)(db, path)
      setDurable(db, path)
      createTables(db, path)
      const ledger = new SqliteLedger(path, db, writer, busyTimeoutMs)
      ledger.#inspect()
      // From here on `#begin` does the waiting.
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

  /** As it is now: other processes write, too. */
  #lastRecordedAt(): string | null {
    const last = this.#statements.last.get() as { readonly line: Uint8Array } | undefined
    return last === undefined ? null : readTail(last.line, this.#path).recordedAt
  }

  protected release(): void {
    this.#db.close()
    this.#wal.close()
  }

  /** Whether this writer may write here at all. Tables that are older than trees are caught up with now, so that no append has to wait for it. */
  #inspect(): void {
    this.#statements.begin.run()
    try {
      refuseWriter(this.#state.read().ring, this.writer)
      this.#statements.commit.run()
      this.#state.committed()
    } catch (error) {
      if (this.#db.inTransaction) this.#statements.rollback.run()
      throw error
    }
  }

  /** One transaction: the state is read, the group is linked behind it, and entries, tree and head become durable together, or nothing. */
  protected async commit(request: AppendRequest): Promise<readonly LinkedEntry[]> {
    await this.#begin()
    this.#file.check()
    this.#wal.check()
    this.#schema.require()
    const plan = await advance(request, this.#state.read(), this.writer)
    this.#insert(plan.entries)
    this.#state.write(plan)
    this.#statements.commit.run()
    this.#state.committed()
    return plan.asked
  }

  /**
   * Takes the write lock, waiting for it if need be. The event loop stays free meanwhile: the lock may be held by another ledger object of
   * this very process, whose signer is waiting for an answer.
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

type Statements = Record<'begin' | 'commit' | 'rollback' | 'insert' | 'last', Database.Statement>

function prepare(db: Database.Database): Statements {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    last: db.prepare('SELECT CAST(entry_json AS BLOB) AS line FROM ledger NOT INDEXED ORDER BY id DESC LIMIT 1'),
    insert: db.prepare('INSERT INTO ledger (id, entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?, ?)'),
  }
}
