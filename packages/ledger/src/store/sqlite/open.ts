// Opens a SQLite file for writing: checks that the file is a ledger, makes writes durable, and creates the tables.
import type Database from 'better-sqlite3'
import { LedgerError } from '../../error.js'
import { codeOf, firstBytes, isOpenInSqlite, isRegularFile, SQLITE_MAGIC, syncFolderOf } from '../../file.js'
import { createPrivately } from '../../private-file.js'
import { DamagedFile, FileCheck } from '../../sqlite-file/file-check.js'
import {
  CREATE_LEDGER_TABLE,
  EVIDENCE_TABLES,
  findEvidenceTables,
  findLedgerTable,
  foreignObjectsOf,
} from './tables.js'

// Delays between attempts to take the write lock, in milliseconds: SQLite's own schedule without its longest
// steps.
const BUSY_DELAYS_MS = [1, 2, 5, 10, 15, 20, 25]

/** The delay before the next attempt to take a lock, in milliseconds. */
export function busyDelayMs(tries: number): number {
  return BUSY_DELAYS_MS[Math.min(tries, BUSY_DELAYS_MS.length - 1)] ?? 0
}

/**
 * Retries until `work` succeeds or the timeout expires. SQLite's own timeout does not cover every case: while a
 * process switches a new file to WAL, or removes the `-wal` on close, other processes get BUSY immediately.
 */
export function waitWhileBusy<T>(timeoutMs: number, work: () => T): T {
  const deadline = performance.now() + timeoutMs
  for (let tries = 0; ; tries += 1) {
    try {
      return work()
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() >= deadline) throw error
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyDelayMs(tries))
  }
}

/**
 * Creates the file with mode 0600, or checks that an existing file is a SQLite database, so that no other file
 * is overwritten.
 */
export function claimFile(path: string): void {
  if (!isRegularFile(path)) {
    createPrivately(path)
    syncFolderOf(path)
    return
  }
  if (isOpenInSqlite(path)) return
  const start = firstBytes(path)
  if (start.length === 0 || start.toString('latin1') === SQLITE_MAGIC) return
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a SQLite database`, {
    hint: 'nothing was written; use another file for the ledger',
  })
}

/**
 * Checks that the pages of a file form trees, so that SQLite can safely open it.
 *
 * @throws LedgerError LEDGER_DAMAGED; a file system error
 */
export function requireSoundLedgerFile(path: string): void {
  try {
    const check = FileCheck.begin(path)
    check.close()
    if (typeof check.damage === 'string') throw new DamagedFile(check.damage)
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error
    throw new LedgerError(
      'LEDGER_DAMAGED',
      `\`${path}\`: the pages of the file do not form a database: ${error.message}`,
      {
        hint: 'nothing was written; keep the file, and run `sudoagent verify` to see what can still be read',
      },
    )
  }
}

export function setDurable(db: Database.Database, path: string): void {
  db.pragma('journal_mode = WAL')
  // `synchronous` is set after `journal_mode`, because better-sqlite3 falls back to NORMAL in WAL mode. The value is
  // then read back, because durability depends on it.
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  db.pragma('checkpoint_fullfsync = ON')
  if (db.pragma('journal_mode', { simple: true }) !== 'wal' || db.pragma('synchronous', { simple: true }) !== 2) {
    throw new LedgerError('LEDGER_WRITE_FAILED', `\`${path}\`: SQLite cannot use WAL with synchronous=FULL here`, {
      hint: 'network file systems do not support WAL; keep the ledger on a local disk',
    })
  }
}

export function createTables(db: Database.Database, path: string): void {
  const create = db.transaction(() => {
    requireNoOtherDatabases(db, path)
    db.exec(CREATE_LEDGER_TABLE)
    for (const { name, sql } of EVIDENCE_TABLES) if (!findEvidenceTables(db).has(name)) db.exec(sql)
  })
  create.immediate()
}

/**
 * Accepts a database that is empty or has our table. Other objects are refused, except plain tables of a later
 * release: a trigger could change written data, and an index could return data that differs from its table.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER
 */
export function requireNoOtherDatabases(db: Database.Database, path: string): void {
  const refuse = (what: string, hint = 'nothing was written; use a separate file for the ledger'): never => {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` ${what}`, { hint })
  }
  const table = findLedgerTable(db)
  if (table === 'other') refuse('has a different object named `ledger`')
  const isEmpty = (): boolean =>
    db.prepare("SELECT 1 FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' LIMIT 1").get() === undefined
  if (table === 'none' && !isEmpty()) refuse('is the SQLite database of a different application')
  const found = findEvidenceTables(db)
  for (const { name } of EVIDENCE_TABLES)
    if (found.get(name) === 'other') refuse(`has a different object named \`${name}\``)
  const foreign = foreignObjectsOf(db).find(({ kind }) => kind !== 'newer')
  if (foreign !== undefined)
    refuse(
      `contains ${foreign.what}, which sudoagent did not create`,
      `nothing was written; remove it with ${foreign.drop}`,
    )
}
