// The default store: one SQLite file, WAL, `synchronous=FULL`, several writing processes. The table is the one that SudoAgent for Python
// made and reads (LEDGER-FORMAT §2); whatever else we keep stands beside it.
import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Signer } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { GroupCommit, type LinkedEntry, linkBatch } from '../append.js'
import type { EncodedDraft } from '../chain.js'
import type { EntryDraft } from '../entry.js'
import { LedgerError } from '../error.js'
import { type AppendedEntry, EMPTY_HEAD, type Head, type LedgerWriter } from '../ledger.js'
import {
  asLedgerError,
  codeOf,
  FileIdentity,
  firstBytes,
  isFatal,
  isOpenInSqlite,
  isRegularFile,
  SQLITE_MAGIC,
  syncFolderOf,
} from './file.js'
import { CREATE_LEDGER_TABLE, findLedgerTable } from './sqlite-table.js'
import { readTail } from './tail.js'

export interface SqliteLedgerOptions {
  /** Signs every entry. Without it entries are unsigned. */
  readonly signer?: Signer
  readonly clock?: () => Date
  /** How long an append waits for another process's transaction, in milliseconds. 10,000 unless told. */
  readonly busyTimeoutMs?: number
}

const BUSY_TIMEOUT_MS = 10_000

// How long to sleep between two tries for the write lock, try after try, in milliseconds: SQLite's own schedule, without its longest steps.
const BUSY_DELAYS_MS = [1, 2, 5, 10, 15, 20, 25]

/**
 * An append-only ledger in a SQLite file; the file is created (mode 0600) when it is not there.
 *
 * @example
 * const ledger = SqliteLedger.open('ledger.sqlite', { signer: createSigner(key) })
 * await ledger.append(draft) // durable when it resolves
 */
export class SqliteLedger implements LedgerWriter {
  readonly #path: string
  readonly #db: Database.Database
  readonly #busyTimeoutMs: number
  /** Of the database and of its `-wal`: with either deleted under it, a writer would go on writing into a file that nobody can find. */
  readonly #identities: readonly FileIdentity[]
  readonly #signer: Signer | null
  readonly #clock: () => Date
  readonly #commits: GroupCommit
  readonly #statements: Statements
  #lastSeen: Head = EMPTY_HEAD
  #failed: LedgerError | null = null
  #closing: Promise<void> | null = null

  private constructor(path: string, db: Database.Database, options: SqliteLedgerOptions) {
    this.#path = path
    this.#db = db
    this.#busyTimeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS
    this.#signer = options.signer ?? null
    this.#clock = options.clock ?? (() => new Date())
    this.#statements = prepare(db)
    this.#lastSeen = this.#readHead()
    this.#identities = [new FileIdentity(path), new FileIdentity(`${path}-wal`)]
    this.#commits = new GroupCommit((drafts) => this.#commit(drafts))
  }

  /**
   * @throws LedgerError LEDGER_NOT_A_LEDGER (the file is something else; it is left alone), LEDGER_DAMAGED (the last entry does not hold),
   * LEDGER_NOT_FOUND (the folder does not exist), LEDGER_BUSY, LEDGER_NOT_READABLE, LEDGER_WRITE_FAILED
   */
  static open(path: string, options: SqliteLedgerOptions = {}): SqliteLedger {
    const { busyTimeoutMs = BUSY_TIMEOUT_MS } = options
    try {
      claimFile(path)
      return waitWhileBusy(busyTimeoutMs, () => SqliteLedger.#openOnce(path, busyTimeoutMs, options))
    } catch (error) {
      throw asLedgerError(error, path)
    }
  }

  static #openOnce(path: string, busyTimeoutMs: number, options: SqliteLedgerOptions): SqliteLedger {
    const db = new Database(path, { timeout: busyTimeoutMs })
    try {
      db.pragma('trusted_schema = OFF')
      // First of all, and again under the lock: `journal_mode` is a change, too. In one transaction: between two reads another process that
      // starts at the same time may have made the table, and its ledger is not somebody else's database.
      db.transaction(refuseOtherDatabases)(db, path)
      setDurable(db, path)
      createTable(db, path)
      // From here on `#begin` does the waiting.
      db.pragma('busy_timeout = 0')
      return new SqliteLedger(path, db, options)
    } catch (error) {
      db.close()
      throw error
    }
  }

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return this.#commits.append(draft)
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.close().then(() => void this.#db.close())
    return this.#closing
  }

  /** One transaction: the head is read, the group is linked behind it, and all of it becomes durable, or none. */
  async #commit(drafts: readonly EncodedDraft[]): Promise<readonly AppendedEntry[]> {
    // After an I/O error nobody knows what the disk holds, and a second fsync may claim success for bytes that were dropped.
    if (this.#failed !== null) throw this.#failed
    try {
      await this.#begin()
      for (const identity of this.#identities) identity.check()
      const head = this.#readHead()
      const entries = await linkBatch(drafts, head, { signer: this.#signer, clock: this.#clock })
      this.#insert(entries)
      this.#statements.commit.run()
      const last = entries.at(-1)
      this.#lastSeen =
        last === undefined ? head : { size: last.position, entryHash: last.entryHash, recordedAt: last.recordedAt }
      return entries
    } catch (error) {
      throw this.#abandon(error)
    }
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
      await delay(BUSY_DELAYS_MS[Math.min(tries, BUSY_DELAYS_MS.length - 1)])
    }
  }

  #insert(entries: readonly LinkedEntry[]): void {
    for (const { position, line, entryHash, prevEntryHash } of entries) {
      this.#statements.insert.run(position, line, entryHash, prevEntryHash)
    }
  }

  #abandon(error: unknown): LedgerError {
    const failure = asLedgerError(error, this.#path)
    try {
      if (this.#db.inTransaction) this.#statements.rollback.run()
    } catch (rollbackError) {
      this.#failed = asLedgerError(rollbackError, this.#path)
    }
    if (isFatal(error) || failure.code === 'LEDGER_DAMAGED') this.#failed = failure
    return failure
  }

  /** The last entry; refuses a table that is not the one this writer last saw, with nothing or more behind it. */
  #readHead(): Head {
    const seen = this.#lastSeen
    if (seen.size > 0 && this.#statements.hashAt.get(seen.size) !== seen.entryHash) {
      throw new LedgerError(
        'LEDGER_DAMAGED',
        `\`${this.#path}\`: entry ${seen.size} is gone or is not the one that was written`,
        {
          hint: 'entries were removed or replaced while this writer was running; verify the ledger',
        },
      )
    }
    const row = this.#statements.last.get() as { id: number; entry_json: Uint8Array; entry_hash: string } | undefined
    if (row === undefined) return EMPTY_HEAD
    if (row.id === seen.size) return seen
    const { entryHash, recordedAt } = readTail(row.entry_json, this.#path)
    if (entryHash !== row.entry_hash) {
      throw new LedgerError(
        'LEDGER_DAMAGED',
        `\`${this.#path}\`: column \`entry_hash\` of entry ${row.id} differs from the entry`,
      )
    }
    return { size: row.id, entryHash, recordedAt }
  }
}

type Statements = Record<'begin' | 'commit' | 'rollback' | 'insert' | 'last' | 'hashAt', Database.Statement>

function prepare(db: Database.Database): Statements {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    insert: db.prepare('INSERT INTO ledger (id, entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?, ?)'),
    last: db.prepare(
      'SELECT id, CAST(entry_json AS BLOB) AS entry_json, entry_hash FROM ledger ORDER BY id DESC LIMIT 1',
    ),
    hashAt: db.prepare('SELECT entry_hash FROM ledger WHERE id = ?').pluck(),
  }
}

/**
 * Tries until it works or the time is up. SQLite's own timeout does not cover everything: while one process switches a new file to WAL, or
 * takes the `-wal` away on its way out, others are told BUSY at once.
 */
function waitWhileBusy<T>(timeoutMs: number, work: () => T): T {
  const deadline = performance.now() + timeoutMs
  for (let tries = 0; ; tries += 1) {
    try {
      return work()
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() >= deadline) throw error
    }
    const pauseMs = BUSY_DELAYS_MS[Math.min(tries, BUSY_DELAYS_MS.length - 1)]
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
  }
}

/** Creates the file with mode 0600, or makes sure that what is there is a SQLite file: never write into something else. */
function claimFile(path: string): void {
  if (!isRegularFile(path)) {
    createFile(path)
    syncFolderOf(path)
    return
  }
  if (isOpenInSqlite(path)) return
  const start = firstBytes(path)
  if (start.length === 0 || start.toString('latin1') === SQLITE_MAGIC) return
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a SQLite database`, {
    hint: 'nothing was written; name another file for the ledger',
  })
}

/** Of several processes that start at once, one creates the file and the others find it. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function setDurable(db: Database.Database, path: string): void {
  db.pragma('journal_mode = WAL')
  // After journal_mode, because better-sqlite3 is built to fall back to NORMAL in WAL; and read back, because a promise rests on it.
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  db.pragma('checkpoint_fullfsync = ON')
  if (db.pragma('journal_mode', { simple: true }) !== 'wal' || db.pragma('synchronous', { simple: true }) !== 2) {
    throw new LedgerError('LEDGER_WRITE_FAILED', `\`${path}\`: SQLite does not offer WAL with synchronous=FULL here`, {
      hint: 'network file systems do not; keep the ledger on a local disk',
    })
  }
}

function createTable(db: Database.Database, path: string): void {
  const create = db.transaction(() => {
    refuseOtherDatabases(db, path)
    db.exec(CREATE_LEDGER_TABLE)
  })
  create.immediate()
}

/** A ledger is a database with our table, or with nothing at all; and without triggers, which would change what is written. */
function refuseOtherDatabases(db: Database.Database, path: string): void {
  const refuse = (what: string): never => {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` ${what}`, {
      hint: 'nothing was written; give the ledger a file of its own',
    })
  }
  const table = findLedgerTable(db)
  const holds = (what: string): boolean =>
    db.prepare(`SELECT 1 FROM sqlite_schema WHERE ${what} LIMIT 1`).get() !== undefined
  if (table === 'other') refuse('has something else under the name `ledger`')
  if (table === 'none' && holds("name NOT GLOB 'sqlite_*'")) refuse("is another application's SQLite database")
  if (holds("type = 'trigger'")) refuse('has a trigger')
}
