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
import { APPROVAL_SCHEMA, BUDGET_SCHEMA, QUESTION_SCHEMA } from './sqlite-schema.js'

/**
 * Opens SQLite files for all stores in this package.
 *
 * Every store has the same requirements. Only the owner can read and write the file. In WAL mode, readers and the
 * writer do not block each other. With `synchronous=FULL`, committed data survives a power failure. With a busy
 * timeout, several processes take turns instead of failing. The schema is untrusted: it cannot call functions and
 * must contain only our tables. The pages must form a tree, and the path must still refer to the opened file.
 */

/** The maximum length of a reason: long enough for SQLite's own messages. */
const REASON_LENGTH_MAX = 300

/** The longest path that Linux accepts. */
const PATH_LENGTH_MAX = 4_096

/** The longest pause between two attempts to get a lock that a different process has. */
const RETRY_PAUSE_MS = 10

/**
 * Opens or creates a SQLite database, runs the idempotent statements in `schema` in one transaction, and passes the
 * connection to `use`, which prepares statements. If any step fails, the connection is closed. A new file has mode
 * 0600; SQLite gives the `-wal` and `-shm` files the same mode.
 *
 * @throws TypeError for unknown or invalid options, and for a path that is empty, `:memory:`, or padded with white
 * space. The SQLite driver would trim the path and open a different file, whose mode was not set
 * @throws SqliteError, or the file system's error: no permission, a directory, not a database, disk full. Callers map
 * the error to their own code.
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
    // The schema is checked first, because the file may belong to a different program, and `journal_mode` would
    // change the file.
    waitWhileBusy(timeout, requireOurs)
    waitWhileBusy(timeout, () => enterWal(db))
    // `synchronous` is set after `journal_mode`, because the driver lowers `synchronous` to NORMAL for WAL. The value
    // is read back, because a pragma reports no error.
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
 * Requires that the path still refers to the opened file and that the schema has not been extended.
 *
 * @throws Error if the file was deleted or replaced, or contains a trigger or any other object that is not ours
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
const OWN_SCHEMAS = `${APPROVAL_SCHEMA};${QUESTION_SCHEMA};${BUDGET_SCHEMA}`

/**
 * Whether a database has a table. Opens the file read-only and never creates it.
 *
 * @throws TypeError for an invalid path; the error from the file system or SQLite if the file does not exist or is not
 * a database
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
 * Runs `work` under the write lock. The lock is taken at the start, because a transaction that begins with a read and
 * writes later can lose the race for the lock and fail.
 *
 * This function implements its own wait for the lock. SQLite's wait polls less and less often, finally every 100 ms,
 * but a process that writes without a pause takes the lock again within microseconds. With four such processes, a fifth
 * process may wait for seconds and fail.
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
 * Returns the reason for a failure in one line, for an error message. SQLite quotes names from the file, so the text is
 * untrusted.
 */
export function reasonOf(error: unknown): string {
  const problem = nativeModuleProblem(error)
  if (problem !== null) return problem
  return error instanceof Error ? escapeForTerminal(error.message, REASON_LENGTH_MAX) : 'unknown error'
}

/** Returns a hint about the failure, if its cause is known. */
export function hintOf(error: unknown): string | undefined {
  if (nativeModuleProblem(error) !== null) return NATIVE_MODULE_HINT
  return error instanceof SudoAgentError ? error.hint : undefined
}

function requirePath(path: unknown): string {
  const text = requireText('path', path, PATH_LENGTH_MAX)
  if (text.trim() !== text || text.includes('\0'))
    throw new TypeError(`\`path\` ${quote(text)} has surrounding white space or a NUL character`)
  if (text === ':memory:') throw new TypeError('`path` must name a file; for a store in memory, use the memory class')
  return resolve(text)
}

/**
 * Waits while the database is busy. The switch to WAL briefly needs exclusive access. If two processes open a new file
 * at the same time, SQLite may return BUSY immediately instead of waiting, even for reading the schema. These cases
 * have the same time limit as the wait for a lock.
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
    // The pause is random, so that processes that wait for each other do not collide repeatedly.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.random() * RETRY_PAUSE_MS)
  }
}

function enterWal(db: Database.Database): void {
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw new Error('journal_mode=WAL was not accepted')
}
