// The one table of a SQLite ledger (LEDGER-FORMAT §2), as SudoAgent for Python made it.
import type Database from 'better-sqlite3'
import { LedgerError } from '../error.js'

/** Creates the table where it is not there yet. */
export const CREATE_LEDGER_TABLE = `CREATE TABLE IF NOT EXISTS ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entry_json TEXT NOT NULL,
  entry_hash TEXT NOT NULL,
  prev_entry_hash TEXT
)`

// What SQLite keeps of that statement, whoever wrote it: spacing and quotes may differ, nothing else. A view, a virtual table, a generated
// column or a CHECK would run expressions that the file brought along.
const NAME = '(?:ledger|"ledger"|\'ledger\'|`ledger`|\\[ledger\\])'
const COLUMNS = [
  'id INTEGER PRIMARY KEY AUTOINCREMENT',
  'entry_json TEXT NOT NULL',
  'entry_hash TEXT NOT NULL',
  'prev_entry_hash TEXT',
].map((column) => column.replaceAll(' ', '\\s+'))
const LEDGER_TABLE = new RegExp(`^CREATE TABLE\\s+${NAME}\\s*\\(\\s*${COLUMNS.join('\\s*,\\s*')}\\s*\\)$`, 'i')

/** Longest definition that is looked at; ours has 150 characters. */
const SQL_LENGTH_MAX = 4096

/** What a database holds in place of the ledger: the table as it should be, another thing of that name, or nothing. */
export function findLedgerTable(db: Database.Database): 'ledger' | 'other' | 'none' {
  const select = "SELECT type, substr(sql, 1, ?) AS sql FROM sqlite_schema WHERE name = 'ledger' COLLATE NOCASE LIMIT 2"
  const [row, second] = db.prepare(select).all(SQL_LENGTH_MAX) as { readonly type: unknown; readonly sql: unknown }[]
  if (row === undefined) return 'none'
  const plain = row.type === 'table' && typeof row.sql === 'string' && LEDGER_TABLE.test(row.sql)
  return plain && second === undefined ? 'ledger' : 'other'
}

/**
 * The highest id that SQLite gave out, by its own book. The book is looked at first: in a file that somebody prepared, a view may stand in its
 * place, and reading a view runs whatever it says.
 *
 * @throws LedgerError LEDGER_DAMAGED when there is no such book
 */
export function lastIssuedId(db: Database.Database): number {
  const book = "name = 'sqlite_sequence' AND type = 'table' AND sql = 'CREATE TABLE sqlite_sequence(name,seq)'"
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE ${book}`).get() === undefined) {
    throw new LedgerError('LEDGER_DAMAGED', 'the table `sqlite_sequence` is missing or is something else')
  }
  const issued = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").pluck().get()
  return typeof issued === 'number' ? issued : 0
}

/** Whether there is anything besides the ledger table and SQLite's book about its ids. */
export function hasOtherObjects(db: Database.Database): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1 OFFSET 2').get() !== undefined
}
