import { closeSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { printable } from '@sudoagent/ledger'
import Database from 'better-sqlite3'
import { quote, readFields, requireInteger, requireText } from './argument.js'

/**
 * The one place where core opens a SQLite file.
 *
 * Every store needs the same five things, and each is easy to lose: a file that only its owner can read, WAL so that
 * readers do not block, `synchronous=FULL` so that what was answered survives a power cut, a busy timeout so that
 * several processes take turns instead of failing, and a schema that is not trusted to call functions.
 */

/** How long a call waits for another process's transaction. Ours take milliseconds; after this something is stuck. The wait blocks the event loop. */
export const BUSY_TIMEOUT_MS_DEFAULT = 5_000

/** Longer than this no caller should stand still; it would look like a hang. */
export const BUSY_TIMEOUT_MS_MAX = 60_000

/** Enough for every message of SQLite's own. */
const REASON_CHARACTERS_MAX = 300

/** The longest path that Linux accepts. */
const PATH_CHARACTERS_MAX = 4_096

/** Pause between two attempts to switch a fresh file to WAL while another process does the same. */
const RETRY_PAUSE_MS = 10

export interface SqliteStoreOptions {
  /** Milliseconds to wait for another process's transaction, 0…60,000; 5,000 unless given. */
  readonly busyTimeoutMs?: number
}

/**
 * Opens or creates a SQLite database, runs `schema` (idempotent statements) in one transaction and hands the connection
 * to `use`, which prepares its statements; when that fails, the connection is closed. A file that is created has mode 0600; SQLite gives its `-wal` and `-shm` files the same mode.
 *
 * @throws TypeError for a path that is empty, `:memory:`, or padded with white space (SQLite's driver trims it and
 *   would open another file than the one we made private), and for unknown or wrong options
 * @throws SqliteError, or the file system's error: no permission, a directory, not a database, disk full. Callers map it to a code of their own.
 */
export function openDatabase<T>(
  path: string,
  options: SqliteStoreOptions,
  schema: string,
  use: (db: Database.Database) => T,
): T {
  const file = requirePath(path)
  const timeout = requireBusyTimeoutMs(options)
  createPrivately(file)
  const db = new Database(file, { fileMustExist: true, timeout })
  try {
    db.pragma('trusted_schema = OFF')
    enterWal(db, timeout)
    // After journal_mode, because the driver lowers it to NORMAL for WAL; read back, because a pragma never fails.
    db.pragma('synchronous = FULL')
    if (db.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted')
    transact(db, () => db.exec(schema))
    return use(db)
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Whether a database has a table. Reads only; makes no file.
 *
 * @throws TypeError for a wrong path; the file system's or SQLite's error when it is not there or no database
 */
export function holdsTable(path: string, table: string): boolean {
  const file = requirePath(path)
  const db = new Database(file, { fileMustExist: true, readonly: true, timeout: BUSY_TIMEOUT_MS_DEFAULT })
  try {
    db.pragma('trusted_schema = OFF')
    return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined
  } finally {
    db.close()
  }
}

/** Runs `work` under the write lock, taken at the start: a transaction that reads first and writes later can lose the race and fail. */
export function transact<T>(db: Database.Database, work: () => T): T {
  return db.transaction(work).immediate()
}

/** One line saying what went wrong, for the message of a coded error. SQLite quotes names from the file, so it is foreign text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? printable(error.message, REASON_CHARACTERS_MAX) : 'unknown error'
}

function requirePath(path: unknown): string {
  const text = requireText('path', path, PATH_CHARACTERS_MAX)
  if (text.trim() !== text || text.includes('\0'))
    throw new TypeError(`\`path\` ${quote(text)} has white space around it or a NUL in it`)
  if (text === ':memory:') throw new TypeError('`path` must name a file; for a store in memory use the memory class')
  return resolve(text)
}

function requireBusyTimeoutMs(options: unknown): number {
  const given = readFields('store options', options, ['busyTimeoutMs']).get('busyTimeoutMs')
  return given === undefined ? BUSY_TIMEOUT_MS_DEFAULT : requireInteger('busyTimeoutMs', given, 0, BUSY_TIMEOUT_MS_MAX)
}

/** SQLite would create the file with the umask's mode; approvals show what an agent wants to do, so the file is the owner's alone. */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * The switch to WAL needs the file for itself for a moment. When two processes open a fresh file at once, SQLite can
 * answer BUSY at once instead of waiting, so the wait is ours, with the same limit.
 */
function enterWal(db: Database.Database, timeoutMs: number): void {
  for (let waitedMs = 0; ; waitedMs += RETRY_PAUSE_MS) {
    try {
      if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal')
        throw new Error('journal_mode=WAL was not accepted')
      return
    } catch (error) {
      const code = (error as { code?: unknown }).code
      if (typeof code !== 'string' || !code.startsWith('SQLITE_BUSY') || waitedMs >= timeoutMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS)
    }
  }
}
