import { resolve } from 'node:path'
import { SudoAgentError } from '@sudoagent/crypto'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import {
  createPrivately,
  FileIdentity,
  followLinks,
  NATIVE_MODULE_HINT,
  nativeModuleProblem,
  ownObjects,
  PinnedFile,
  requireOneWriter,
  requireOwnObjects,
  requireSoundFile,
  SchemaGuard,
} from '@sudoagent/ledger/sqlite-file'
import Database from 'better-sqlite3'
import { quote, requireText } from './check.js'
import { BUSY_TIMEOUT_MS_DEFAULT, readStoreOptions, type SqliteStoreOptions } from './sqlite-options.js'
import { APPROVAL_SCHEMA, BUDGET_SCHEMA } from './sqlite-schema.js'

/**
 * Opens SQLite files for all stores of this package.
 *
 * Every store has the same requirements: a file that only its owner can read and write, WAL so that readers do not
 * block, `synchronous=FULL` so that committed data survives a power failure, a busy timeout so that several
 * processes take turns instead of failing, an untrusted schema that cannot call functions and declares only our
 * tables, pages that form a tree, and a path that still refers to the opened file.
 */

/** Long enough for every message of SQLite itself. */
const REASON_LENGTH_MAX = 300

/** The longest path that Linux accepts. */
const PATH_LENGTH_MAX = 4_096

/** The longest pause between two attempts to get a lock that another process has. */
const RETRY_PAUSE_MS = 10

/**
 * Opens or creates a SQLite database, runs `schema` (idempotent statements) in one transaction and passes the
 * connection to `use`, which prepares statements; when that fails, the connection is closed. A new file has mode
 * 0600; SQLite gives its `-wal` and `-shm` files the same mode.
 *
 * @throws TypeError for a path that is empty, `:memory:`, or padded with white space (SQLite's driver trims it and
 *   would open a different file from the one whose mode was set), and for unknown or invalid options
 * @throws SqliteError, or the file system's error: no permission, a directory, not a database, disk full. Callers
 *   map it to their own code.
 */
export function openDatabase<T>(
  path: string,
  options: SqliteStoreOptions,
  schema: string,
  use: (db: Database.Database) => T,
): T {
  const file = requirePath(path)
  const { timeout, allowOtherWriters } = readStoreOptions(options)
  createPrivately(file)
  if (!allowOtherWriters) requireOneWriter(file)
  requireSoundFile(file)
  const own = ownObjects(`${OWN_SCHEMAS};${schema}`)
  const requireOurs = (): void => requireOwnObjects(db, own)
  const db = new Database(file, { fileMustExist: true, timeout: 0 })
  try {
    db.pragma('trusted_schema = OFF')
    // First, because `journal_mode` changes the file, which may belong to another program.
    waitWhileBusy(timeout, requireOurs)
    waitWhileBusy(timeout, () => enterWal(db))
    // After journal_mode, because the driver lowers it to NORMAL for WAL. It is read back because a pragma never
    // fails.
    waitWhileBusy(timeout, () => db.pragma('synchronous = FULL'))
    if (db.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted')
    const create = db.transaction(() => {
      requireOurs()
      db.exec(schema)
    })
    waitWhileBusy(timeout, create.immediate)
    db.pragma(`busy_timeout = ${timeout}`)
    guards.set(db, new StoreGuard(db, file, requireOurs))
    return use(db)
  } catch (error) {
    closeDatabase(db)
    throw error
  }
}

/**
 * Requires that the path still refers to the opened file and that its schema has not been extended.
 *
 * @throws Error when the file was deleted or replaced, or has a trigger or another object that is not ours
 */
export function requireIntact(db: Database.Database): void {
  guards.get(db)?.require()
}

/** Closes a database that `openDatabase` opened. */
export function closeDatabase(db: Database.Database): void {
  guards.get(db)?.close()
  guards.delete(db)
  db.close()
}

const guards = new WeakMap<Database.Database, StoreGuard>()

class StoreGuard {
  readonly #file: FileIdentity
  readonly #wal: PinnedFile
  readonly #schema: SchemaGuard

  constructor(db: Database.Database, file: string, requireOurs: () => void) {
    this.#file = new FileIdentity(file)
    this.#wal = new PinnedFile(`${followLinks(file)}-wal`)
    this.#schema = new SchemaGuard(db, requireOurs)
  }

  require(): void {
    this.#file.check()
    this.#wal.check()
    this.#schema.require()
  }

  close(): void {
    this.#wal.close()
  }
}

/** The stores of this package may share a file. */
const OWN_SCHEMAS = `${APPROVAL_SCHEMA};${BUDGET_SCHEMA}`

/**
 * Whether a database has a table. Opens the file read-only and never creates it.
 *
 * @throws TypeError for an invalid path; the error of the file system or SQLite when the file does not exist or is
 *   not a database
 */
export function holdsTable(path: string, table: string): boolean {
  const file = requirePath(path)
  requireSoundFile(file)
  const db = new Database(file, { fileMustExist: true, readonly: true, timeout: BUSY_TIMEOUT_MS_DEFAULT })
  try {
    db.pragma('trusted_schema = OFF')
    return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined
  } finally {
    db.close()
  }
}

/**
 * Runs `work` under the write lock, which is taken at the start: a transaction that reads first and writes later
 * can lose the race and fail.
 *
 * This function waits for the lock itself. SQLite's own wait polls ever more rarely, finally every 100 ms, while a
 * process that writes without a pause takes the lock again within microseconds: with four such processes, a fifth
 * may wait for seconds and fail.
 */
export function transact<T>(db: Database.Database, work: () => T): T {
  const timeoutMs = Number(db.pragma('busy_timeout', { simple: true }))
  let isLocked = false
  const run = db.transaction(() => {
    isLocked = true
    requireIntact(db)
    return work()
  })
  db.pragma('busy_timeout = 0')
  try {
    return waitWhileBusy(timeoutMs, run.immediate, () => !isLocked)
  } finally {
    db.pragma(`busy_timeout = ${timeoutMs}`)
  }
}

/**
 * The reason for a failure in one line, for the message of a coded error. SQLite quotes names from the file, so the
 * text is untrusted.
 */
export function reasonOf(error: unknown): string {
  const problem = nativeModuleProblem(error)
  if (problem !== null) return problem
  return error instanceof Error ? escapeForTerminal(error.message, REASON_LENGTH_MAX) : 'unknown error'
}

/** A hint for the failure, if its cause is known. */
export function hintOf(error: unknown): string | undefined {
  if (nativeModuleProblem(error) !== null) return NATIVE_MODULE_HINT
  return error instanceof SudoAgentError ? error.hint : undefined
}

function requirePath(path: unknown): string {
  const text = requireText('path', path, PATH_LENGTH_MAX)
  if (text.trim() !== text || text.includes('\0'))
    throw new TypeError(`\`path\` ${quote(text)} has surrounding white space or a NUL character`)
  if (text === ':memory:') throw new TypeError('`path` must name a file; for a store in memory use the memory class')
  return resolve(text)
}

/**
 * Waits while the database is busy. The switch to WAL needs exclusive access for a moment; when two processes open
 * a new file at the same time, SQLite may return BUSY immediately instead of waiting, even when reading the schema.
 * The time limit is the same.
 *
 * @param mayRetry - whether the busy operation may be repeated
 */
function waitWhileBusy<T>(timeoutMs: number, work: () => T, mayRetry: () => boolean = () => true): T {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      const code = (error as { code?: unknown }).code
      const isBusy = typeof code === 'string' && code.startsWith('SQLITE_BUSY')
      if (!isBusy || !mayRetry() || performance.now() >= deadline) throw error
    }
    // A random pause, so that processes that wait for each other do not collide again and again.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.random() * RETRY_PAUSE_MS)
  }
}

function enterWal(db: Database.Database): void {
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw new Error('journal_mode=WAL was not accepted')
}
