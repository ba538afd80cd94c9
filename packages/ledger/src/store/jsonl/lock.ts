// One writer for a JSONL file. Node has no flock(), and a lock file that names a process id goes stale with `kill -9`. SQLite holds an
// exclusive lock of the operating system on a file of its own, and the system lets go of it when the process ends, however it ends.
import { realpathSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { LedgerError } from '../../error.js'
import { asLedgerError } from '../../file.js'

/**
 * Takes the lock `<path>.lock`, without waiting. The empty lock file stays behind: removing it would open a race.
 *
 * @param path - an existing file; a symbolic link is followed, so that every name of the file leads to one lock
 * @returns what lets go of the lock
 * @throws LedgerError LEDGER_LOCKED when another writer has it, LEDGER_NOT_A_LEDGER when something else has the name of the lock
 */
export function lockFile(path: string): () => void {
  let db: Database.Database | undefined
  try {
    const file = `${realpathSync(path)}.lock`
    // SQLite would read it, and play back a journal next to it.
    const found = statSync(file, { throwIfNoEntry: false })
    if (found !== undefined && (!found.isFile() || found.size > 0))
      throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${file}\` is not a lock file: lock files are empty`, {
        hint: 'nothing was written; find out what made it, and remove it while there is no writer',
      })
    db = new Database(file, { timeout: 0 })
    // The lock is all that is wanted of this database: nothing is ever written, so no journal is needed beside it.
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
