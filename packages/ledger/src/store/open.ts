// A ledger's kind is recognised by what is in the file, never by its name.
import { existsSync, statSync } from 'node:fs'
import { LedgerError } from '../error.js'
import { asLedgerError, firstBytes, isOpenInSqlite, isRegularFile, SQLITE_MAGIC } from '../file.js'
import type { LedgerReader } from '../port/reader.js'
import { beside } from './jsonl/side-file.js'

/**
 * Opens a ledger for reading: SQLite or JSONL. Changes nothing, takes no write lock, works on read-only files and beside a running writer.
 *
 * @param path - path of the ledger file
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_BUSY
 * @example
 * const reader = await openLedger('ledger.sqlite')
 */
export async function openLedger(path: string): Promise<LedgerReader> {
  switch (recogniseForReading(path)) {
    case 'sqlite': {
      // Loaded here, so that whoever reads JSONL never loads the native module.
      const { openSqliteReader } = await import('./sqlite/reader.js')
      return openSqliteReader(path)
    }
    case 'jsonl': {
      const { openJsonlReader } = await import('./jsonl/reader.js')
      return openJsonlReader(path)
    }
  }
}

/**
 * The same for a reader: what looks like a JSONL ledger that somebody put something in front of is one, and `verify` says
 * what is wrong with its first line.
 */
function recogniseForReading(path: string): 'sqlite' | 'jsonl' {
  try {
    return recognise(path)
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_NOT_A_LEDGER' && looksLikeLines(path)) return 'jsonl'
    throw error
  }
}

/** Looked at for an entry, in bytes: more than what a few short lines in front of one take. */
const START_BYTES = 64 * 1024

/** Whether the file has a head next to it, or something like an entry near its beginning. */
function looksLikeLines(path: string): boolean {
  try {
    // A pipe or a device is not a ledger, and opening a pipe waits for its other end.
    if (!statSync(path).isFile()) return false
    const start = firstBytes(path, START_BYTES).toString('latin1')
    return existsSync(beside(path, 'head')) || /\n\{"|"entry_hash"/.test(start)
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

/**
 * Tells a ledger's kind.
 *
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER
 */
export function recognise(path: string): 'sqlite' | 'jsonl' {
  try {
    if (!isRegularFile(path)) throw new LedgerError('LEDGER_NOT_FOUND', `\`${path}\` does not exist`)
    if (isOpenInSqlite(path)) return 'sqlite'
    const start = firstBytes(path)
    if (start.toString('latin1') === SQLITE_MAGIC) return 'sqlite'
    if (start.length === 0 || start[0] === 0x7b) return 'jsonl'
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is neither a SQLite nor a JSONL ledger`, {
    hint: 'a ledger is a SQLite database, or lines of JSON that start with `{`',
  })
}
