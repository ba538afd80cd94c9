// Restricts a JSONL file to one writer. Node has no flock(), and a lock file with a process id becomes stale after
// `kill -9`. SQLite therefore takes an exclusive operating system lock on a separate file, which the system releases
// even if the process crashes. The driver is better-sqlite3, or `node:sqlite` if the native module was not built.
//
// Without either driver (Node before 22.13, packages installed with `--ignore-scripts`), the lock is a folder with
// the name of the lock file. Creating a folder is atomic and fails if the name exists, so writers with and without
// SQLite exclude each other. After a crash the folder remains, and the user must remove it.
import { mkdirSync, realpathSync, rmdirSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { LedgerError } from '../../error.js'
import { asLedgerError, codeOf } from '../../file.js'
import { NATIVE_MODULE_HINT, nativeModuleProblem } from '../../native-module.js'
import { openWithNode } from '../sqlite/node-sqlite.js'
import type { ReadDatabase } from '../sqlite/read-database.js'

/**
 * Takes the lock `<path>.lock`, without waiting. The empty lock file is not removed afterwards, because the removal
 * could race with a different writer.
 *
 * @param path - an existing file; symbolic links are followed, so that all names of the file share one lock
 * @returns a function that releases the lock
 * @throws LedgerError LEDGER_LOCKED if there is another writer, LEDGER_NOT_A_LEDGER if the lock file is not empty
 */
export function lockFile(path: string): () => void {
  let file = `${path}.lock`
  try {
    file = `${realpathSync(path)}.lock`
    requireLock(file, path)
    return lockWithSqlite(file) ?? lockWithFolder(file, path)
  } catch (error) {
    const failure = asLedgerError(error, file)
    if (failure.code !== 'LEDGER_BUSY') throw failure
    throw new LedgerError('LEDGER_LOCKED', `\`${path}\` has another writer`, {
      hint: 'a JSONL ledger allows only one writer at a time; use a SQLite ledger for several processes',
    })
  }
}

/**
 * Refuses a file with content before SQLite opens the file: SQLite would read it, and would roll back a journal next
 * to it.
 */
function requireLock(file: string, path: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined || (found.isFile() && found.size === 0)) return
  if (found.isDirectory()) throw lockedByFolder(file, path)
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${file}\` is not a lock file: lock files are empty`, {
    hint: 'nothing was written; find out what created it, and remove it while there is no writer',
  })
}

/** @returns null if no SQLite driver is available */
function lockWithSqlite(file: string): (() => void) | null {
  const db = openSqlite(file)
  if (db === null) return null
  try {
    // The database is used only for its lock. Nothing is written to the database, so it does not need a journal file.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
    return () => void db.close()
  } catch (error) {
    db.close()
    throw error
  }
}

function openSqlite(file: string): Pick<ReadDatabase, 'pragma' | 'exec' | 'close'> | null {
  try {
    return new Database(file, { timeout: 0 })
  } catch (error) {
    if (nativeModuleProblem(error) === null) throw error
    return openWithNode(file, { readonly: false, timeout: 0, create: true })
  }
}

function lockWithFolder(file: string, path: string): () => void {
  try {
    mkdirSync(file, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw lockedByFolder(file, path)
    throw new LedgerError(
      'LEDGER_LOCKED',
      `\`${path}\` may have another writer: without SQLite, this program cannot test the lock \`${file}\``,
      { hint: `Node 22.13 or later has SQLite; or ${NATIVE_MODULE_HINT}` },
    )
  }
  const release = (): void => {
    process.off('exit', release)
    try {
      rmdirSync(file)
    } catch {
      // The user removed the folder, or the ledger's folder is now read-only; in the second case, the next writer is
      // refused.
    }
  }
  // Removes the folder if a program exits without closing its ledger.
  process.on('exit', release)
  return release
}

const lockedByFolder = (file: string, path: string): LedgerError =>
  new LedgerError('LEDGER_LOCKED', `\`${path}\` has another writer, with the lock \`${file}\``, {
    hint: `if no program writes to the ledger any more, remove the folder \`${file}\``,
  })
