// A ledger's kind is recognised by what is in the file, never by its name.
import { LedgerError } from './error.js'
import type { LedgerReader } from './ledger.js'
import { asLedgerError, firstBytes, isOpenInSqlite, isRegularFile, SQLITE_MAGIC } from './store/file.js'

/**
 * Opens a ledger for reading: SQLite or JSONL. Changes nothing, takes no write lock, works on read-only files and beside a running writer.
 *
 * @param path - path of the ledger file
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_BUSY
 * @example
 * const reader = await openLedger('ledger.sqlite')
 */
export async function openLedger(path: string): Promise<LedgerReader> {
  switch (recognise(path)) {
    case 'sqlite': {
      // Loaded here, so that whoever reads JSONL never loads the native module.
      const { openSqliteReader } = await import('./store/sqlite-reader.js')
      return openSqliteReader(path)
    }
    case 'jsonl': {
      const { openJsonlReader } = await import('./store/jsonl-reader.js')
      return openJsonlReader(path)
    }
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
