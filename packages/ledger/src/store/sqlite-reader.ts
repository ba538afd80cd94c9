// Reads a SQLite ledger as untrusted input: read-only, one consistent snapshot, no trigger, view or function of the file's own is run, and
// nothing is left beside the file.
import { setImmediate as turn } from 'node:timers/promises'
import { type HashReader, NOTE_BYTES_MAX } from '@sudoagent/crypto'
import type Database from 'better-sqlite3'
import { LedgerError } from '../error.js'
import type {
  LedgerReader,
  LineRanges,
  RangeSource,
  Place as RowPlace,
  StoredEvidence,
  StoredLine,
  StoredText,
  StoreFault,
} from '../ledger.js'
import { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX } from '../limits.js'
import { asLedgerError, codeOf } from './file.js'
import { positionsOfCall } from './sqlite-calls.js'
import { choosePlace, copyOf, openUntrusted, type Place } from './sqlite-place.js'
import {
  CALL_TABLE,
  COSIGNED_TABLE,
  findEvidenceTables,
  findLedgerTable,
  HEAD_TABLE,
  healthOf,
  lastIdOf,
  lastIssuedId,
  TILE_TABLE,
} from './sqlite-table.js'
import { createSqliteTreeReader } from './sqlite-tree.js'

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
    db = openUntrusted(place)
    requireTable(db, path)
    return new SqliteReader(db, path, place)
  } catch (error) {
    db?.close()
    place.remove()
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
  FROM ledger NOT INDEXED WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`

// Text alone, and no longer than any note: a row may hold anything.
const SELECT_TEXT = `SELECT CASE WHEN typeof(checkpoint) = 'text' AND octet_length(checkpoint) <= ${NOTE_BYTES_MAX} THEN checkpoint END AS text
  FROM ? WHERE id = 1`

/** About a megabyte of usual entries. */
const RANGE_ROWS = 1024

const ID_MAX = 2n ** 63n - 1n

class SqliteReader implements LedgerReader, LineRanges {
  readonly kind = 'sqlite'
  readonly ranges: LineRanges = this
  readonly source: RangeSource
  readonly end: RowPlace
  readonly step = RANGE_ROWS
  readonly sizeHint: number | undefined
  readonly #db: Database.Database
  readonly #path: string
  readonly #remove: () => void
  #faults: readonly StoreFault[] = []
  /** Whether reading ended at damage: then nothing more can be known. */
  #isCut = false

  constructor(db: Database.Database, path: string, place: Place) {
    this.#db = db
    this.#path = path
    this.#remove = place.remove
    this.sizeHint = lastIdOf(db)
    this.end = this.sizeHint ?? 0
    this.source = { kind: 'sqlite', path: place.path, readonly: place.readonly }
  }

  async evidence(): Promise<StoredEvidence> {
    return { head: this.#textOf(HEAD_TABLE.name), cosigned: this.#textOf(COSIGNED_TABLE.name) }
  }

  treeReader(size: number): HashReader | null {
    try {
      if (!this.#has(HEAD_TABLE.name) || !this.#has(TILE_TABLE.name)) return null
      const stored = this.#db.prepare('SELECT size FROM sudoagent_head WHERE id = 1').pluck().get()
      return typeof stored === 'number' && stored >= size ? createSqliteTreeReader(this.#db, size) : null
    } catch {
      // Damage: then there is no tree here that is of use to anybody, and the rows say what they say.
      return null
    }
  }

  async lineAt(position: number): Promise<StoredLine | null> {
    const [row] = this.#damageNamed(() => this.#page(position - 1, null, 1))
    return row?.id === position ? asLine(row, position) : null
  }

  async linesOfCall(requestId: string): Promise<readonly StoredLine[] | null> {
    const positions = this.#damageNamed(() =>
      this.#has(CALL_TABLE.name) ? positionsOfCall(this.#db, requestId) : null,
    )
    if (positions === null) return null
    const lines = await Promise.all(positions.map((position) => this.lineAt(position)))
    return lines.filter((line) => line !== null)
  }

  #damageNamed<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw asLedgerError(error, this.#path, 'LEDGER_DAMAGED')
    }
  }

  /** A text of one of our tables with one row; a table that somebody else made is not asked. */
  #textOf(table: string): StoredText {
    const found = findEvidenceTables(this.#db).get(table)
    if (found === undefined) return null
    if (found === 'other') return 'unreadable'
    try {
      const text = this.#db.prepare(SELECT_TEXT.replace('?', table)).get() as { readonly text: unknown } | undefined
      if (text === undefined) return null
      return typeof text.text === 'string' ? { text: text.text } : 'unreadable'
    } catch {
      return 'unreadable'
    }
  }

  #has(table: string): boolean {
    return findEvidenceTables(this.#db).get(table) === 'ours'
  }

  async *batches(from = 0): AsyncGenerator<readonly StoredLine[]> {
    let lines = from
    for await (const batch of this.lines(from, null, from + 1)) {
      lines += batch.length
      yield batch
    }
    this.finish(lines)
  }

  async placeBehind(lines: number): Promise<RowPlace> {
    return lines
  }

  isAt(place: RowPlace, position: number): boolean {
    return place === position - 1
  }

  /** Ids are the positions, and where they are not, every line says so: a walk that starts further on starts at that id. */
  async *lines(
    from: RowPlace,
    to: RowPlace | null,
    position: number,
  ): AsyncGenerator<readonly StoredLine[], RowPlace | null> {
    this.#faults = []
    this.#isCut = false
    let at = position - 1
    // Ids below 1 are none of ours, but they are rows.
    let after = from === 0 ? Number.NEGATIVE_INFINITY : from
    for (;;) {
      let rows: readonly Row[]
      try {
        rows = this.#page(after, to)
      } catch (error) {
        // Damage in the middle of the file: what came before it was read, and the report says that the rest could not be.
        const { message } = asLedgerError(error, this.#path, 'LEDGER_DAMAGED')
        this.#faults = [{ code: 'STORE_DAMAGED', message }]
        this.#isCut = true
        return null
      }
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.id
      yield rows.map((row) => asLine(row, ++at))
      // SQLite never waits for anything: without this, no timer, signal or AbortSignal would be heard until the end.
      await turn()
    }
    return to === null || to >= this.end ? null : to
  }

  finish(lines: number, health?: string): void {
    if (!this.#isCut) this.#faults = this.#storeFaults(lines, health)
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
  #page(after: number, to: RowPlace | null, limit = BATCH_LINES): readonly Row[] {
    const rows: Row[] = []
    try {
      this.#readPage(after, to ?? ID_MAX, limit, rows)
    } catch (error) {
      if (rows.length === 0) throw error
    }
    return rows
  }

  #readPage(after: number, to: number | bigint, limit: number, rows: Row[]): void {
    let bytes = 0
    let previous = after
    for (const row of this.#db.prepare(PAGE).iterate(after, to, limit) as IterableIterator<Row>) {
      if (!Number.isSafeInteger(row.id) || row.id <= previous)
        throw new LedgerError('LEDGER_DAMAGED', 'row ids are out of order')
      previous = row.id
      rows.push(row)
      bytes += row.entry_json?.length ?? 0
      if (bytes >= BATCH_BYTES_MAX) return
    }
  }

  /** What only SQLite's own books can tell: rows that were there once, pages that do not fit together. */
  #storeFaults(count: number, known: string | undefined): readonly StoreFault[] {
    try {
      const issued = lastIssuedId(this.#db)
      if (count > 0 && issued > this.end) {
        return [{ code: 'TRUNCATED', message: `SQLite gave out row ids up to ${issued}, the last row is ${this.end}` }]
      }
      const health = known ?? healthOf(this.#db)
      return health === 'ok' ? [] : [{ code: 'STORE_DAMAGED', message: `SQLite finds damage: ${health}` }]
    } catch (error) {
      return [{ code: 'STORE_DAMAGED', message: asLedgerError(error, this.#path, 'LEDGER_DAMAGED').message }]
    }
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
