// Allows one writer for a JSONL file. Node has no flock(), and a lock file with a process id becomes stale
// after `kill -9`. SQLite takes an exclusive lock of the operating system on a separate file; the system
// releases it when the process ends, in whatever way.
import { realpathSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { LedgerError } from '../../error.js'
import { asLedgerError } from '../../file.js'

/**
 * Takes the lock `<path>.lock`, without waiting. The empty lock file is not removed afterwards, since that
 * would be a race.
 *
 * @param path - an existing file; symbolic links are followed, so that all names of the file have the same lock
 * @returns a function that releases the lock
 * @throws LedgerError LEDGER_LOCKED if there is another writer, LEDGER_NOT_A_LEDGER if the lock file has other
 * content
 */
export function lockFile(path: string): () => void {
  let db: Database.Database | undefined
  try {
    const file = `${realpathSync(path)}.lock`
    // SQLite would read such a file, and roll back a journal next to it.
    const found = statSync(file, { throwIfNoEntry: false })
    if (found !== undefined && (!found.isFile() || found.size > 0))
      throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${file}\` is not a lock file: lock files are empty`, {
        hint: 'nothing was written; find out what created it, and remove it while there is no writer',
      })
    db = new Database(file, { timeout: 0 })
    // The database is only used for its lock. Nothing is written to it, so it needs no journal file.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
    const held = db
    return () => held.close()
  } catch (error) {
    db?.close()
    const failure = asLedgerError(error, `${path}.lock`)
    if (failure.code !== 'LEDGER_BUSY') throw failure
    throw new LedgerError('LEDGER_LOCKED', `\`${path}\` has another writer`, {
      hint: 'a JSONL ledger takes one writer at a time; use a SQLite ledger for several processes',
    })
  }
}
