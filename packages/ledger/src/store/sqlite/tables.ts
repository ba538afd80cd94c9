// The table of a SQLite ledger (LEDGER-FORMAT §2), as SudoAgent for Python made it, and ours beside it: the head, the tiles of the tree, and
// the checkpoint that witnesses cosigned.
import { LedgerError } from '../../error.js'
import { type ForeignObject, foreignObjects, type OwnObject, SQL_LENGTH_MAX } from '../../sqlite-file/objects.js'
import type { ReadDatabase } from './read-database.js'

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

/** What a database holds in place of the ledger: the table as it should be, another thing of that name, or nothing. */
export function findLedgerTable(db: ReadDatabase): 'ledger' | 'other' | 'none' {
  const select = "SELECT type, substr(sql, 1, ?) AS sql FROM sqlite_schema WHERE name = 'ledger' COLLATE NOCASE LIMIT 2"
  const [row, second] = db.prepare(select).all(SQL_LENGTH_MAX) as { readonly type: unknown; readonly sql: unknown }[]
  if (row === undefined) return 'none'
  const plain = row.type === 'table' && typeof row.sql === 'string' && LEDGER_TABLE.test(row.sql)
  return plain && second === undefined ? 'ledger' : 'other'
}

const COPY_WITHOUT_LOG =
  'if this is a copy, `-wal` was left behind: a database in WAL mode is the file together with the file of that name and `-wal`; copy both, or use `sudoagent copy`'

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

/** The highest id of a row. Undefined where there is none, or none that can be read: whoever reads on will meet the damage. */
export function lastIdOf(db: ReadDatabase): number | undefined {
  try {
    const last = db.prepare('SELECT max(id) FROM ledger NOT INDEXED').pluck().get()
    return typeof last === 'number' ? last : undefined
  } catch {
    return undefined
  }
}

/**
 * The highest id that SQLite gave out, by its own book. The book is looked at first: in a file that somebody prepared, a view may stand in its
 * place, and reading a view runs whatever it says.
 *
 * @throws LedgerError LEDGER_DAMAGED when there is no such book
 */
export function lastIssuedId(db: ReadDatabase): number {
  const book = "name = 'sqlite_sequence' AND type = 'table' AND sql = 'CREATE TABLE sqlite_sequence(name,seq)'"
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE ${book}`).get() === undefined) {
    throw new LedgerError('LEDGER_DAMAGED', 'the table `sqlite_sequence` is missing or is something else')
  }
  const issued = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'").pluck().get()
  return typeof issued === 'number' ? issued : 0
}

/** A table of ours, as SQLite keeps its definition. */
export interface EvidenceTable {
  readonly name: string
  readonly sql: string
}

const table = (name: string, columns: string, kind = ''): EvidenceTable => ({
  name,
  sql: `CREATE TABLE ${name} (${columns})${kind}`,
})

/**
 * The head: one row with id 1. `frontier` is the right edge of the tree (`encodeFrontier`), `controls` the positions of the control entries as
 * a JSON list, `checkpoint` the signed note, or the three lines of an unsigned checkpoint.
 */
export const HEAD_TABLE = table(
  'sudoagent_head',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, entry_hash TEXT NOT NULL, frontier BLOB NOT NULL, controls TEXT NOT NULL, checkpoint TEXT NOT NULL',
)

/** Tiles of C2SP tlog-tiles. Those of level 0 are there when they are full; those above grow hash by hash. */
export const TILE_TABLE = table(
  'sudoagent_tile',
  'level INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, tile)',
)

/**
 * Which entries are about which call: for each full tile of level 0, a short hash of the request id of each of its 256 entries. A hint and
 * nothing more: whoever looks something up reads the entry that it leads to. Tile by tile, since an index of all calls would touch a page of
 * its own for every entry, and the more of them, the larger the ledger.
 */
export const CALL_TABLE = table('sudoagent_calls', 'tile INTEGER PRIMARY KEY, calls BLOB NOT NULL')

/** The last checkpoint that witnesses cosigned: one row with id 1. */
export const COSIGNED_TABLE = table(
  'sudoagent_cosigned',
  'id INTEGER PRIMARY KEY, size INTEGER NOT NULL, checkpoint TEXT NOT NULL',
)

export const EVIDENCE_TABLES: readonly EvidenceTable[] = [HEAD_TABLE, TILE_TABLE, CALL_TABLE, COSIGNED_TABLE]

/** Which of our tables are there as we made them, and under which of their names something else stands. */
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
 * What SQLite says about its own pages: `ok`, or the first fault. A check of the whole file evaluates the CHECK constraints of every table, and a
 * hostile one never ends: so only where there are none but our tables, of which the definitions are known.
 */
export function healthOf(db: ReadDatabase): string {
  return String(db.pragma(foreignObjectsOf(db).length > 0 ? 'quick_check(ledger)' : 'quick_check(1)', { simple: true }))
}

const OWN_OBJECTS: readonly OwnObject[] = [
  { type: 'table', name: 'ledger', sql: LEDGER_TABLE },
  ...EVIDENCE_TABLES.map(({ name, sql }) => ({ type: 'table', name, sql }) as const),
]

/** What the file declares besides our tables and SQLite's own. @throws SqliteError when the schema cannot be read */
export const foreignObjectsOf = (db: ReadDatabase): readonly ForeignObject[] => foreignObjects(db, OWN_OBJECTS)

/** Rows that are put together. Longer ones are looked at one by one, so that no text gets too long. */
const ROW_BYTES_MAX = 16 * 1024

/** Columns that make the rows of a range one piece: each a line with its line feed. A row that is no text, or is too long, leaves an empty line. */
export const LINES_OF_ROWS = `min(id) AS first, max(id) AS last, count(*) AS rows, CAST(group_concat(
  CASE WHEN typeof(entry_json) = 'text' AND octet_length(entry_json) <= ${ROW_BYTES_MAX} THEN entry_json ELSE '' END, char(10)) || char(10) AS BLOB) AS lines`

/** What they give; null where there is no row. */
export interface LinesOfRows {
  readonly first: number | null
  readonly last: number | null
  readonly rows: number
  readonly lines: Buffer | null
}
