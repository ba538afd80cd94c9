// Reads a SQLite ledger as untrusted input: read-only, in one snapshot, without executing file-defined code.
import { setImmediate as turn } from 'node:timers/promises'
import { NOTE_BYTES_MAX } from '@sudoagent/crypto/note'
import type { HashReader } from '@sudoagent/crypto/tree'
import type { StoredLine } from '../../entry/stored-line.js'
import { asLedgerError, codeOf, followLinks, isOpenInSqlite } from '../../file.js'
import type {
  LedgerReader,
  LineRanges,
  RangeSource,
  Place as RowPlace,
  StoredEvidence,
  StoredText,
  StoreFault,
  StoreWarning,
} from '../../port/reader.js'
import { ChangingFile, DamagedFile, FileCheck } from '../../sqlite-file/file-check.js'
import type { ForeignObject } from '../../sqlite-file/objects.js'
import { damagedReader } from '../damaged-reader.js'
import { writableWarnings } from '../file-mode.js'
import { positionsOfCall } from './call-index.js'
import type { ReadDatabase } from './read-database.js'
import { asLine, type Row, RowPages } from './rows.js'
import { choosePlace, copyOf, openUntrusted, type Place } from './snapshot.js'
import {
  CALL_TABLE,
  COSIGNED_TABLE,
  findEvidenceTables,
  foreignObjectsOf,
  HEAD_TABLE,
  healthOf,
  lastIdOf,
  lastIssuedId,
  requireLedgerTable,
  TILE_TABLE,
} from './tables.js'
import { createSqliteTreeReader } from './tiles.js'

/** Opens a snapshot. @throws LedgerError LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_NOT_READABLE, LEDGER_BUSY */
export function openSqliteReader(path: string): LedgerReader {
  try {
    return openInPlaceOrCopy(path)
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

function openInPlaceOrCopy(path: string): LedgerReader {
  const file = followLinks(path)
  const place = choosePlace(file)
  try {
    return openPlace(place, path)
  } catch (error) {
    // SQLite must write before it can read: a -journal exists, the writer closed the ledger, or -shm must be rebuilt.
    const copyHelps = place.path === file && ['SQLITE_READONLY', 'SQLITE_CANTOPEN'].includes(codeOf(error))
    if (!copyHelps) throw error
  }
  return openPlace(copyOf(file), path)
}

function openPlace(place: Place, path: string): LedgerReader {
  let db: ReadDatabase | undefined
  let check: FileCheck | undefined
  const hadLog = isOpenInSqlite(place.path)
  try {
    check = FileCheck.begin(place.path)
    db = openUntrusted(place)
    requireLedgerTable(db, path, hadLog)
    return new SqliteReader(db, path, place, check)
  } catch (error) {
    db?.close()
    check?.close()
    if (error instanceof DamagedFile) return damagedReader('sqlite', `${DAMAGE}${error.message}`, place.remove)
    place.remove()
    throw error
  }
}

const DAMAGE = 'the pages of the file do not form a database: '

// Reads only text that does not exceed the maximum length of a note, since a row may contain any value.
const SELECT_TEXT = `SELECT CASE WHEN typeof(checkpoint) = 'text' AND octet_length(checkpoint) <= ${NOTE_BYTES_MAX} THEN checkpoint END AS text
  FROM ? NOT INDEXED WHERE id = 1`

/** About 1 MB of typical entries. */
const RANGE_ROWS = 1024

class SqliteReader implements LedgerReader, LineRanges {
  readonly kind = 'sqlite'
  readonly ranges: LineRanges = this
  readonly source: RangeSource
  readonly end: RowPlace
  readonly step = RANGE_ROWS
  readonly sizeHint: number | undefined
  readonly #db: ReadDatabase
  readonly #path: string
  readonly #remove: () => void
  readonly #rows: RowPages
  readonly #objects: readonly ForeignObject[]
  readonly #check: FileCheck
  #faults: readonly StoreFault[] = []
  /** Set if the file looked damaged but changed during every check. */
  #changing: ChangingFile | null = null
  /** Whether reading stopped because of damage, so that further faults cannot be determined. */
  #isCut = false

  constructor(db: ReadDatabase, path: string, place: Place, check: FileCheck) {
    this.#db = db
    this.#path = path
    this.#remove = place.remove
    this.#rows = new RowPages(db)
    this.#check = check
    this.#boundRows()
    this.#objects = foreignObjectsOf(db)
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
      const stored = this.#db.prepare('SELECT size FROM sudoagent_head NOT INDEXED WHERE id = 1').pluck().get()
      return typeof stored === 'number' && stored >= size ? createSqliteTreeReader(this.#db, size) : null
    } catch {
      // The stored tree is damaged, so the rows are read instead.
      return null
    }
  }

  async lineAt(position: number): Promise<StoredLine | null> {
    const [row] = this.#damageNamed(() => this.#rows.page(position - 1, null, 1))
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

  /** Reads text from one of our single-row tables. A table with a different definition is not read. */
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
    await this.isSound()
    this.finish(lines)
  }

  async placeBehind(lines: number): Promise<RowPlace> {
    return lines
  }

  isAt(place: RowPlace, position: number): boolean {
    return place === position - 1
  }

  /** In a ledger without findings, ids are positions, so a walk can start at any position by its id. */
  async *lines(
    from: RowPlace,
    to: RowPlace | null,
    position: number,
  ): AsyncGenerator<readonly StoredLine[], RowPlace | null> {
    this.#faults = []
    this.#isCut = false
    if (from === 0) this.#boundRows()
    let at = position - 1
    // Rows with ids below 1 do not belong in a ledger, but they are read.
    let after = from === 0 ? Number.NEGATIVE_INFINITY : from
    // `end` comes from the untrusted file, so a range up to `end` is read to the actual last row.
    const pageEnd = to === null || to >= this.end ? null : to
    for (;;) {
      let rows: readonly Row[]
      try {
        rows = this.#rows.page(after, pageEnd)
      } catch (error) {
        // The file is damaged in the middle: earlier lines have been read, and the report states this fault.
        const { message } = asLedgerError(error, this.#path, 'LEDGER_DAMAGED')
        this.#faults = [{ code: 'STORE_DAMAGED', message }]
        this.#isCut = true
        return null
      }
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.id
      yield rows.map((row) => asLine(row, ++at))
      if (at - position >= RANGE_ROWS) await this.isSound() // pages used twice could make the rows endless
      // SQLite calls are synchronous: without a yield, timers and abort signals would starve.
      await turn()
    }
    return pageEnd
  }

  /** @throws LedgerError LEDGER_BUSY if the file kept changing while it looked damaged */
  finish(lines: number, health?: string): void {
    if (this.#changing !== null) throw asLedgerError(this.#changing, this.#path)
    if (!this.#isCut) this.#faults = this.#storeFaults(lines, health)
  }

  async isSound(): Promise<boolean> {
    if (this.#check.damage === undefined && this.#changing === null) {
      const { walkInThread } = await import('../../sqlite-file/walk-in-thread.js')
      await this.#check.finish(walkInThread).catch((error: unknown) => {
        if (!(error instanceof ChangingFile)) throw error
        this.#changing = error
      })
      this.#boundRows()
    }
    return this.#check.damage === null
  }

  /** Limits a damaged file, which is read row by row, to the bytes that a sound file of that length could contain. */
  #boundRows(): void {
    if (typeof this.#check.damage === 'string' || this.#changing !== null) this.#rows.limit(this.#check.bytes)
  }

  faults(): readonly StoreFault[] {
    const hostile = this.#objects.filter(({ kind }) => kind === 'hostile')
    return [
      ...this.#faults,
      ...hostile.map(
        ({ what, drop }): StoreFault => ({
          code: 'STORE_FOREIGN_OBJECT',
          message: `the file contains ${what}, which does not belong in a ledger`,
          hint: `find out who added it before you remove it with ${drop}`,
        }),
      ),
    ]
  }

  warnings(): readonly StoreWarning[] {
    const objects = this.#objects.flatMap(({ kind, what, drop }): StoreWarning[] => {
      if (kind === 'newer') return [{ code: 'STORE_NEWER_TABLE', message: `${what} is from a newer release` }]
      if (kind !== 'operator') return []
      const message = `the file contains ${what}, which sudoagent did not create; this check does not use it`
      return [{ code: 'STORE_FOREIGN_OBJECT', message, hint: `writers refuse the file until you run: ${drop}` }]
    })
    return [...objects, ...writableWarnings(this.#path)]
  }

  async close(): Promise<void> {
    if (!this.#db.open) return
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
    this.#db.close()
    this.#check.close()
    this.#remove()
  }

  /** Returns faults that only SQLite's own records reveal: removed rows and inconsistent pages. */
  #storeFaults(count: number, known: string | undefined): readonly StoreFault[] {
    const { damage } = this.#check
    if (typeof damage === 'string') return [{ code: 'STORE_DAMAGED', message: `${DAMAGE}${damage}` }]
    try {
      const issued = lastIssuedId(this.#db)
      if (count > 0 && issued > this.end) {
        return [{ code: 'TRUNCATED', message: `SQLite assigned row ids up to ${issued}; the last row is ${this.end}` }]
      }
      const health = known ?? healthOf(this.#db)
      return health === 'ok' ? [] : [{ code: 'STORE_DAMAGED', message: `SQLite finds damage: ${health}` }]
    } catch (error) {
      return [{ code: 'STORE_DAMAGED', message: asLedgerError(error, this.#path, 'LEDGER_DAMAGED').message }]
    }
  }
}
