// The tables of a SQLite ledger (LEDGER-FORMAT §2): `ledger`, as SudoAgent for Python creates it, and our
// tables for the head, the tiles of the tree, the index of calls, and the cosigned checkpoint.
import { LedgerError } from '../../error.js'
import { type ForeignObject, foreignObjects, type OwnObject, SQL_LENGTH_MAX } from '../../sqlite-file/objects.js'
import type { ReadDatabase } from './read-database.js'

/** Creates the table if it does not exist. */
export const CREATE_LEDGER_TABLE = `CREATE TABLE IF NOT EXISTS ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entry_json TEXT NOT NULL,
  entry_hash TEXT NOT NULL,
  prev_entry_hash TEXT
)`

// SQLite stores the text of that statement. Spacing and quotes may differ, but nothing else: a view, a virtual
// table, a generated column or a CHECK would execute expressions from the file.
const NAME = '(?:ledger|"ledger"|\'ledger\'|`ledger`|\\[ledger\\])'
const COLUMNS = [
  'id INTEGER PRIMARY KEY AUTOINCREMENT',
  'entry_json TEXT NOT NULL',
  'entry_hash TEXT NOT NULL',
  'prev_entry_hash TEXT',
].map((column) => column.replaceAll(' ', '\\s+'))
const LEDGER_TABLE = new RegExp(`^CREATE TABLE\\s+${NAME}\\s*\\(\\s*${COLUMNS.join('\\s*,\\s*')}\\s*\\)$`, 'i')

/** Whether a database has the ledger table, another object of that name, or neither. */
export function findLedgerTable(db: ReadDatabase): 'ledger' | 'other' | 'none' {
  const select = "SELECT type, substr(sql, 1, ?) AS sql FROM sqlite_schema WHERE name = 'ledger' COLLATE NOCASE LIMIT 2"
  const [row, second] = db.prepare(select).all(SQL_LENGTH_MAX) as { readonly type: unknown; readonly sql: unknown }[]
  if (row === undefined) return 'none'
  const plain = row.type === 'table' && typeof row.sql === 'string' && LEDGER_TABLE.test(row.sql)
  return plain && second === undefined ? 'ledger' : 'other'
}

const COPY_WITHOUT_LOG =
  'if this is a copy, its `-wal` file is missing: a database in WAL mode consists of both files; copy both, or use `sudoagent copy`'

/**
 * @param hadLog - whether there was a write-ahead log next to the file before it was opened
 * @throws LedgerError LEDGER_NOT_A_LEDGER
 */
export function requireLedgerTable(db: ReadDatabase, path: string, hadLog: boolean): void {
  if (findLedgerTable(db) === 'ledger') return
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is a SQLite database without a ledger table`, {
    hint:
      !hadLog && db.pragma('journal_mode', { simple: true }) === 'wal'
        ? COPY_WITHOUT_LOG
        : 'a ledger has a table `ledger (id, entry_json, entry_hash, prev_entry_hash)`',
  })
}

/**
 * The highest row id; undefined if there is no row, or if it cannot be read. In the second case, reading the
 * rows reports the damage.
 */
export function lastIdOf(db: ReadDatabase): number | undefined {
  try {
    const last = db.prepare('SELECT max(id) FROM ledger NOT INDEXED').pluck().get()
    return typeof last === 'number' ? last : undefined
  } catch {
    return undefined
  }
}

/**
 * The highest id that SQLite has assigned, from `sqlite_sequence`. Its definition is checked first: a hostile
 * file could have a view of that name, and reading a view executes it.
 *
 * @throws LedgerError LEDGER_DAMAGED if the table is missing or has another definition
 */
export function lastIssuedId(db: ReadDatabase): number {
  const book = "name = 'sqlite_sequence' AND type = 'table' AND sql = 'CREATE TABLE sqlite_sequence(name,seq)'"
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE ${book}`).get() === undefined) {
    throw new LedgerError('LEDGER_DAMAGED', 'the table `sqlite_sequence` is missing or has another definition')
  }
  const issued = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").pluck().get()
  return typeof issued === 'number' ? issued : 0
}

/** One of our tables, with its definition as SQLite stores it. */
export interface EvidenceTable {
  readonly name: string
  readonly sql: string
}

const table = (name: string, columns: string, kind = ''): EvidenceTable => ({
  name,
  sql: `CREATE TABLE ${name} (${columns})${kind}`,
})

/**
 * The head: one row with id 1. `frontier` is the right edge of the tree (`encodeFrontier`), `controls` the
 * positions of the control entries as a JSON list, `checkpoint` the signed note, or the three lines of an
 * unsigned checkpoint.
 */
export const HEAD_TABLE = table(
  'sudoagent_head',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, entry_hash TEXT NOT NULL, frontier BLOB NOT NULL, controls TEXT NOT NULL, checkpoint TEXT NOT NULL',
)

/** Tiles of C2SP tlog-tiles. A tile of level 0 is stored when it is full; tiles above it grow hash by hash. */
export const TILE_TABLE = table(
  'sudoagent_tile',
  'level INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, tile)',
)

/**
 * The index of calls: for each full tile of level 0, a short hash of the request id of each of its 256 entries.
 * It is only a hint, and every result is checked against the entry. It is organised by tile, since an index by
 * call would touch a separate page for every entry, and more of them as the ledger grows.
 */
export const CALL_TABLE = table('sudoagent_calls', 'tile INTEGER PRIMARY KEY, calls BLOB NOT NULL')

/** The latest checkpoint with cosignatures of witnesses: one row with id 1. */
export const COSIGNED_TABLE = table(
  'sudoagent_cosigned',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, checkpoint TEXT NOT NULL',
)

export const EVIDENCE_TABLES: readonly EvidenceTable[] = [HEAD_TABLE, TILE_TABLE, CALL_TABLE, COSIGNED_TABLE]

/** For each of our tables that exists: whether it has our definition or is another object of that name. */
export function findEvidenceTables(db: ReadDatabase): ReadonlyMap<string, 'ours' | 'other'> {
  const select = db.prepare(
    'SELECT type, substr(sql, 1, ?) AS sql FROM sqlite_schema WHERE name = ? COLLATE NOCASE LIMIT 2',
  )
  const found = new Map<string, 'ours' | 'other'>()
  for (const { name, sql } of EVIDENCE_TABLES) {
    const [row, second] = select.all(SQL_LENGTH_MAX, name) as { readonly type: unknown; readonly sql: unknown }[]
    if (row === undefined) continue
    found.set(name, row.type === 'table' && row.sql === sql && second === undefined ? 'ours' : 'other')
  }
  return found
}

/**
 * The integrity check of SQLite: `ok`, or the first fault. A check of the whole file evaluates the CHECK
 * constraints of all tables, and a hostile one may never end. So the whole file is checked only if it has no
 * tables other than ours.
 */
export function healthOf(db: ReadDatabase): string {
  return String(db.pragma(foreignObjectsOf(db).length > 0 ? 'quick_check(ledger)' : 'quick_check(1)', { simple: true }))
}

const OWN_OBJECTS: readonly OwnObject[] = [
  { type: 'table', name: 'ledger', sql: LEDGER_TABLE },
  ...EVIDENCE_TABLES.map(({ name, sql }) => ({ type: 'table', name, sql }) as const),
]

/** Objects in the file other than our tables and SQLite's own. @throws SqliteError if the schema cannot be read */
export const foreignObjectsOf = (db: ReadDatabase): readonly ForeignObject[] => foreignObjects(db, OWN_OBJECTS)

/**
 * Maximum length of rows that are concatenated. Longer ones are read one by one, which limits the length of the
 * text.
 */
const ROW_BYTES_MAX = 16 * 1024

/**
 * Columns that concatenate the rows of a range: a line with its line feed for each row. A row that is not a
 * text or is too long gives an empty line.
 */
export const LINES_OF_ROWS = `min(id) AS first, max(id) AS last, count(*) AS rows, CAST(group_concat(
  CASE WHEN typeof(entry_json) = 'text' AND octet_length(entry_json) <= ${ROW_BYTES_MAX} THEN entry_json ELSE '' END, char(10)) || char(10) AS BLOB) AS lines`

/** The result of these columns; null if there is no row. */
export interface LinesOfRows {
  readonly first: number | null
  readonly last: number | null
  readonly rows: number
  readonly lines: Buffer | null
}
