// The tables of a SQLite ledger (LEDGER-FORMAT §2): `ledger`, with the same definition as in SudoAgent for Python,
// and our tables for the head, the tree tiles, the call index and the cosigned checkpoint.
import { LedgerError } from '../../error.js'
import { type ForeignObject, foreignObjects, type OwnObject, SQL_LENGTH_MAX } from '../../sqlite-file/objects.js'
import type { ReadDatabase } from './read-database.js'

/** The statement that creates the table if it does not exist. */
export const CREATE_LEDGER_TABLE = `CREATE TABLE IF NOT EXISTS ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entry_json TEXT NOT NULL,
  entry_hash TEXT NOT NULL,
  prev_entry_hash TEXT
)`

// Matches the stored text of that statement. Only spacing and quotes may differ: a view, a virtual table, a generated
// column or a CHECK would execute expressions from the file.
const NAME = '(?:ledger|"ledger"|\'ledger\'|`ledger`|\\[ledger\\])'
const COLUMNS = [
  'id INTEGER PRIMARY KEY AUTOINCREMENT',
  'entry_json TEXT NOT NULL',
  'entry_hash TEXT NOT NULL',
  'prev_entry_hash TEXT',
].map((column) => column.replaceAll(' ', '\\s+'))
const LEDGER_TABLE = new RegExp(`^CREATE TABLE\\s+${NAME}\\s*\\(\\s*${COLUMNS.join('\\s*,\\s*')}\\s*\\)$`, 'i')

/** Whether a database has the ledger table, a different object with that name, or neither. */
export function findLedgerTable(db: ReadDatabase): 'ledger' | 'other' | 'none' {
  const select = "SELECT type, substr(sql, 1, ?) AS sql FROM sqlite_schema WHERE name = 'ledger' COLLATE NOCASE LIMIT 2"
  const [row, second] = db.prepare(select).all(SQL_LENGTH_MAX) as { readonly type: unknown; readonly sql: unknown }[]
  if (row === undefined) return 'none'
  const plain = row.type === 'table' && typeof row.sql === 'string' && LEDGER_TABLE.test(row.sql)
  return plain && second === undefined ? 'ledger' : 'other'
}

const COPY_WITHOUT_LOG =
  'if this is a copy of a database in WAL mode, its `-wal` file is missing; copy both files, or use `sudoagent copy`'

/**
 * @param hadLog - whether a write-ahead log existed before the file was opened
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
 * The highest row id; undefined if there are no rows, or if the id cannot be read. In the second case, reading the
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
 * The highest id that SQLite has assigned, from `sqlite_sequence`. The definition is checked before reading: a
 * hostile file could have a view with that name, and reading a view executes its SQL.
 *
 * @throws LedgerError LEDGER_DAMAGED if the table is missing or has a different definition
 */
export function lastIssuedId(db: ReadDatabase): number {
  const book = "name = 'sqlite_sequence' AND type = 'table' AND sql = 'CREATE TABLE sqlite_sequence(name,seq)'"
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE ${book}`).get() === undefined) {
    throw new LedgerError('LEDGER_DAMAGED', 'the table `sqlite_sequence` is missing or has another definition')
  }
  const issued = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").pluck().get()
  return typeof issued === 'number' ? issued : 0
}

/** One of our tables, with the definition as SQLite stores it. */
export interface EvidenceTable {
  readonly name: string
  readonly sql: string
}

const table = (name: string, columns: string, kind = ''): EvidenceTable => ({
  name,
  sql: `CREATE TABLE ${name} (${columns})${kind}`,
})

/**
 * The head: one row with id 1. `frontier` is the right edge of the tree (`encodeFrontier`), `controls` names the
 * control entries (`encodeControls`), and `checkpoint` is the signed note or the three lines of an unsigned checkpoint.
 */
export const HEAD_TABLE = table(
  'sudoagent_head',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, entry_hash TEXT NOT NULL, frontier BLOB NOT NULL, controls TEXT NOT NULL, checkpoint TEXT NOT NULL',
)

/** Tree tiles (C2SP tlog-tiles). A level-0 tile is stored when it is full; tiles at higher levels grow hash by hash. */
export const TILE_TABLE = table(
  'sudoagent_tile',
  'level INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, tile)',
)

/**
 * The call index: for each full level-0 tile, a short hash of each of the 256 request ids. The index is only a hint,
 * and every result is checked against the entry. The index is organised by tile: an index by call would touch a
 * separate page for every entry, and ever more pages as the ledger grows.
 */
export const CALL_TABLE = table('sudoagent_calls', 'tile INTEGER PRIMARY KEY, calls BLOB NOT NULL')

/** The latest checkpoint that has witness cosignatures: one row with id 1. */
export const COSIGNED_TABLE = table(
  'sudoagent_cosigned',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, checkpoint TEXT NOT NULL',
)

/**
 * The control index: the entries that took effect, other than those of keys. A reader ignores it, and a writer checks
 * each entry that it names.
 */
export const CONTROL_TABLE = table(
  'sudoagent_control',
  'position INTEGER PRIMARY KEY, kind TEXT NOT NULL, ends INTEGER',
)

/** The questions without a decision, at most 10,000 and those that have expired since the last question. */
export const OPEN_TABLE = table(
  'sudoagent_open',
  'request_id TEXT PRIMARY KEY NOT NULL, position INTEGER NOT NULL, decision_hash BLOB NOT NULL, authority_hash BLOB, policy_hash BLOB NOT NULL, requirement_hash BLOB NOT NULL, registry_position INTEGER, expires_at TEXT NOT NULL, agent_id TEXT NOT NULL, redacted INTEGER NOT NULL, commitment TEXT',
)

export const EVIDENCE_TABLES: readonly EvidenceTable[] = [
  HEAD_TABLE,
  TILE_TABLE,
  CALL_TABLE,
  COSIGNED_TABLE,
  CONTROL_TABLE,
  OPEN_TABLE,
]

/** For each of our table names that exists: whether the object has our definition or is a different object. */
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
 * Runs SQLite's integrity check, and returns `ok` or the first fault. A check of the whole file evaluates the CHECK
 * constraints of all tables, and a hostile constraint may never end. The whole file is therefore checked only if all
 * its tables are ours.
 */
export function healthOf(db: ReadDatabase): string {
  return String(db.pragma(foreignObjectsOf(db).length > 0 ? 'quick_check(ledger)' : 'quick_check(1)', { simple: true }))
}

const OWN_OBJECTS: readonly OwnObject[] = [
  { type: 'table', name: 'ledger', sql: LEDGER_TABLE },
  ...EVIDENCE_TABLES.map(({ name, sql }) => ({ type: 'table', name, sql }) as const),
]

/**
 * Lists objects in the file other than our tables and SQLite's own objects.
 *
 * @throws SqliteError if the schema cannot be read
 */
export const foreignObjectsOf = (db: ReadDatabase): readonly ForeignObject[] => foreignObjects(db, OWN_OBJECTS)

/**
 * Maximum length of a row that is concatenated with others. Longer rows are read one by one, which limits the length
 * of the concatenated text.
 */
const ROW_BYTES_MAX = 16 * 1024

/**
 * Columns that concatenate the rows of a range: one line for each row, with its line feed. A row that is not text or
 * is too long becomes an empty line.
 */
export const LINES_OF_ROWS = `min(id) AS first, max(id) AS last, count(*) AS rows, CAST(group_concat(
  CASE WHEN typeof(entry_json) = 'text' AND octet_length(entry_json) <= ${ROW_BYTES_MAX} THEN entry_json ELSE '' END, char(10)) || char(10) AS BLOB) AS lines`

/** The result of these columns; null if there are no rows. */
export interface LinesOfRows {
  readonly first: number | null
  readonly last: number | null
  readonly rows: number
  readonly lines: Buffer | null
}
