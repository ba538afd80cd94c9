// Reads a SQLite ledger as untrusted input: read-only, one consistent snapshot, no trigger, view or function of the file's own is run, and
// nothing is left beside the file.
//
// SQLite alone cannot promise the last point: a read-only connection to a WAL database creates `-wal` and `-shm` and leaves them there, and
// without write permission in the folder it cannot open the file at all. So, by what lies beside the file:
//   -wal and -shm: a writer is there, or died            → open read-only; both exist already, none is made
//   nothing, file and folder may be written               → open with query_only; SQLite itself removes what it made, on close
//   anything else (read-only medium, -wal alone, -journal) → read a private copy, made in the temporary folder and removed on close
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { LedgerError } from '../error.js'
import type { LedgerReader, StoredLine, StoreFault } from '../ledger.js'
import { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX } from '../limits.js'
import { asLedgerError, codeOf } from './file.js'
import { findLedgerTable, hasOtherObjects, lastIssuedId } from './sqlite-table.js'

const READ_BUSY_TIMEOUT_MS = 5_000
const NOTHING = new Uint8Array(0)

/** Opens a snapshot. @throws LedgerError LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_NOT_READABLE, LEDGER_BUSY */
export function openSqliteReader(path: string): LedgerReader {
  try {
    return openInPlaceOrCopy(path)
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

function openInPlaceOrCopy(path: string): LedgerReader {
  const place = choosePlace(path)
  try {
    return openPlace(place, path)
  } catch (error) {
    // SQLite would have to write first: a -journal stands beside the -wal, or the writer left since we looked, or a -shm needs to be made anew.
    const copyHelps = place.path === path && ['SQLITE_READONLY', 'SQLITE_CANTOPEN'].includes(codeOf(error))
    if (!copyHelps) throw error
  }
  return openPlace(copyOf(path), path)
}

function openPlace(place: Place, path: string): LedgerReader {
  let db: Database.Database | undefined
  try {
    db = new Database(place.path, { readonly: place.readonly, fileMustExist: true, timeout: READ_BUSY_TIMEOUT_MS })
    db.pragma('query_only = ON')
    db.pragma('trusted_schema = OFF')
    db.pragma('cell_size_check = ON')
    db.exec('BEGIN')
    requireTable(db, path)
    return new SqliteReader(db, path, place.remove)
  } catch (error) {
    db?.close()
    place.remove()
    throw error
  }
}

interface Place {
  readonly path: string
  readonly readonly: boolean
  readonly remove: () => void
}

function choosePlace(path: string): Place {
  const beside = (suffix: string): boolean => existsSync(`${path}${suffix}`)
  const inPlace = (readonly: boolean): Place => ({ path, readonly, remove: () => {} })
  if (beside('-wal') && beside('-shm')) return inPlace(true)
  if (beside('-wal') || beside('-journal')) return copyOf(path)
  // Rollback-journal databases (header bytes 18 and 19 are 1) make no side files when they are read.
  if (!isWal(path)) return inPlace(true)
  return mayWrite(path) ? inPlace(false) : copyOf(path)
}

function isWal(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const versions = Buffer.alloc(2)
    readSync(fd, versions, 0, 2, 18)
    return versions[0] === 2 || versions[1] === 2
  } finally {
    closeSync(fd)
  }
}

/** Asks the mode bits too: root may write everywhere, but a file that was made read-only is to be left alone. */
function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    accessSync(dirname(path), constants.W_OK)
    return (statSync(path).mode & 0o222) !== 0 && (statSync(dirname(path)).mode & 0o222) !== 0
  } catch {
    return false
  }
}

function copyOf(path: string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const copy = join(folder, 'ledger.sqlite')
    for (const suffix of ['', '-wal', '-journal']) {
      if (existsSync(`${path}${suffix}`))
        copyFileSync(`${path}${suffix}`, `${copy}${suffix}`, constants.COPYFILE_FICLONE)
    }
    return { path: copy, readonly: false, remove }
  } catch (error) {
    remove()
    throw error
  }
}

function requireTable(db: Database.Database, path: string): void {
  if (findLedgerTable(db) === 'ledger') return
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is a SQLite database without a ledger table`, {
    hint: 'a ledger has a table `ledger (id, entry_json, entry_hash, prev_entry_hash)`',
  })
}

interface Row {
  readonly id: number
  readonly type: string
  readonly bytes: number
  readonly entry_json: Uint8Array | null
  readonly entry_hash: unknown
  readonly prev_entry_hash: unknown
}

// CAST AS BLOB: the bytes as they are stored. As text, SQLite's binding would turn invalid UTF-8 into U+FFFD, and a changed byte could
// pass for the character that stood there. The length is asked for first, so that an oversized row is never loaded.
const PAGE = `SELECT id, typeof(entry_json) AS type, octet_length(entry_json) AS bytes,
  CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN CAST(entry_json AS BLOB) END AS entry_json,
  CASE WHEN octet_length(entry_hash) <= 256 THEN entry_hash END AS entry_hash,
  CASE WHEN octet_length(prev_entry_hash) <= 256 THEN prev_entry_hash ELSE prev_entry_hash IS NOT NULL OR NULL END AS prev_entry_hash
  FROM ledger NOT INDEXED WHERE id > ? ORDER BY id LIMIT ${BATCH_LINES}`

class SqliteReader implements LedgerReader {
  readonly kind = 'sqlite'
  readonly sizeHint: number | undefined
  readonly #db: Database.Database
  readonly #path: string
  readonly #remove: () => void
  #faults: readonly StoreFault[] = []

  constructor(db: Database.Database, path: string, remove: () => void) {
    this.#db = db
    this.#path = path
    this.#remove = remove
    this.sizeHint = lastIdOf(db)
  }

  async *batches(): AsyncGenerator<readonly StoredLine[]> {
    this.#faults = []
    let position = 0
    let after = Number.NEGATIVE_INFINITY
    for (;;) {
      let rows: readonly Row[]
      try {
        rows = this.#page(after)
      } catch (error) {
        // Damage in the middle of the file: what came before it was read, and the report says that the rest could not be.
        const { message } = asLedgerError(error, this.#path, 'LEDGER_DAMAGED')
        this.#faults = [{ code: 'STORE_DAMAGED', message }]
        return
      }
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.id
      yield rows.map((row) => asLine(row, ++position))
      // SQLite never waits for anything: without this, no timer, signal or AbortSignal would be heard until the end.
      await turn()
    }
    this.#faults = this.#storeFaults(after, position)
  }

  faults(): readonly StoreFault[] {
    return this.#faults
  }

  async close(): Promise<void> {
    if (!this.#db.open) return
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
    this.#db.close()
    this.#remove()
  }

  /** The rows behind `after`, up to a batch of them, in entries and in bytes; or up to damage, which the next call then runs into. */
  #page(after: number): readonly Row[] {
    const rows: Row[] = []
    try {
      this.#readPage(after, rows)
    } catch (error) {
      if (rows.length === 0) throw error
    }
    return rows
  }

  #readPage(after: number, rows: Row[]): void {
    let bytes = 0
    let previous = after
    for (const row of this.#db.prepare(PAGE).iterate(after) as IterableIterator<Row>) {
      if (!Number.isSafeInteger(row.id) || row.id <= previous)
        throw new LedgerError('LEDGER_DAMAGED', 'row ids are out of order')
      previous = row.id
      rows.push(row)
      bytes += row.entry_json?.length ?? 0
      if (bytes >= BATCH_BYTES_MAX) return
    }
  }

  /** What only SQLite's own books can tell: rows that were there once, pages that do not fit together. */
  #storeFaults(lastId: number, count: number): readonly StoreFault[] {
    try {
      const issued = lastIssuedId(this.#db)
      if (count > 0 && issued > lastId) {
        return [{ code: 'TRUNCATED', message: `SQLite gave out row ids up to ${issued}, the last row is ${lastId}` }]
      }
      // A check of the whole file evaluates the CHECK constraints of every table, and a hostile one never ends: so only where there are none
      // but our tables, of which the definitions are known.
      const health = this.#db.pragma(hasOtherObjects(this.#db) ? 'quick_check(ledger)' : 'quick_check(1)', {
        simple: true,
      })
      return health === 'ok' ? [] : [{ code: 'STORE_DAMAGED', message: `SQLite finds damage: ${String(health)}` }]
    } catch (error) {
      return [{ code: 'STORE_DAMAGED', message: asLedgerError(error, this.#path, 'LEDGER_DAMAGED').message }]
    }
  }
}

/** For progress only, so damage is no error yet: reading will meet it. */
function lastIdOf(db: Database.Database): number | undefined {
  try {
    const last = db.prepare('SELECT max(id) FROM ledger').pluck().get()
    return typeof last === 'number' ? last : undefined
  } catch {
    return undefined
  }
}

function asLine(
  { id, type, bytes, entry_json: json, entry_hash: entryHash, prev_entry_hash: prevEntryHash }: Row,
  position: number,
): StoredLine {
  const columns = { id, entryHash, prevEntryHash }
  if (type !== 'text') return { position, bytes: NOTHING, columns, fault: 'COLUMN_MISMATCH' }
  if (json === null)
    return { position, bytes: NOTHING, columns, fault: bytes > LINE_BYTES_MAX ? 'LINE_TOO_LONG' : 'COLUMN_MISMATCH' }
  return { position, bytes: json, columns }
}
