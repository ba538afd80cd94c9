// Reads with `node:sqlite` (Node 22.13 or later), with the same values and error codes as better-sqlite3.
//
// Node 22 truncates a text value at its first NUL, so a hash followed by NUL and other bytes would be accepted. In
// such a version, text values are read as bytes:
//
//   SELECT id, entry_hash FROM ledger NOT INDEXED WHERE id > ?
//   WITH q (c0, c1) AS (SELECT id, entry_hash FROM ledger NOT INDEXED WHERE id > ?)
//   SELECT CASE typeof(c0) WHEN 'text' THEN CAST(c0 AS BLOB) ELSE c0 END, typeof(c0) = 'text', … FROM q
import { existsSync } from 'node:fs'
import { TextDecoder } from 'node:util'
import type { ReadDatabase, ReadStatement } from './read-database.js'

/**
 * The part of `node:sqlite` that is used here. Its types are missing in the Node versions that this package is
 * compiled for.
 */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: { readonly readOnly: boolean }) => NodeDatabase
  readonly StatementSync: { readonly prototype: object }
}

interface NodeDatabase {
  prepare(sql: string): NodeStatement
  exec(sql: string): void
  close(): void
}

interface NodeStatement {
  get(...parameters: unknown[]): NodeRow | undefined
  iterate(...parameters: unknown[]): IterableIterator<NodeRow>
  /** Exists since Node 22.16. */
  columns?(): readonly { readonly name: string }[]
  setReadBigInts(enabled: boolean): void
}

type NodeRow = Readonly<Record<string, unknown>>

interface Options {
  readonly readonly: boolean
  /** Maximum time to wait for another process's lock, in milliseconds. */
  readonly timeout: number
  /** Whether to create a missing file. Default: false. */
  readonly create?: boolean
}

/** The primary SQLite result codes that are used here (https://sqlite.org/rescode.html). */
const CODES: ReadonlyMap<number, string> = new Map([
  [3, 'SQLITE_PERM'],
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [23, 'SQLITE_AUTH'],
  [26, 'SQLITE_NOTADB'],
])

/**
 * Opens a database.
 *
 * @returns null if this Node version does not have a usable `node:sqlite`
 * @throws an error with SQLite's code, as in better-sqlite3
 */
export function openWithNode(path: string, { readonly, timeout, create = false }: Options): ReadDatabase | null {
  const sqlite = loadNodeSqlite()
  if (sqlite === null) return null
  // Without `readOnly`, Node would create a missing file.
  if (!create && !existsSync(path))
    throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' })
  const db = named(() => new sqlite.DatabaseSync(path, { readOnly: readonly }))
  try {
    named(() => db.exec(`PRAGMA busy_timeout = ${timeout}`))
    return new NodeReadDatabase(db, cutsText(sqlite) ? encodingOf(db) : null)
  } catch (error) {
    db.close()
    throw error
  }
}

let loaded: NodeSqlite | null | undefined

function loadNodeSqlite(): NodeSqlite | null {
  loaded ??= withoutWarning(() => process.getBuiltinModule?.('node:sqlite') as NodeSqlite | undefined) ?? null
  const { prototype } = loaded?.StatementSync ?? { prototype: {} }
  return 'iterate' in prototype ? loaded : null
}

/**
 * Some Node versions print a warning that the module is experimental, which would appear in every report on a
 * terminal.
 */
function withoutWarning<T>(work: () => T): T {
  const emit = process.emitWarning
  process.emitWarning = (): void => {}
  try {
    return work()
  } finally {
    process.emitWarning = emit
  }
}

let textIsCut: boolean | undefined

/** Whether text values are truncated at their first NUL. */
function cutsText({ DatabaseSync }: NodeSqlite): boolean {
  if (textIsCut !== undefined) return textIsCut
  const db = new DatabaseSync(':memory:', { readOnly: false })
  textIsCut = db.prepare("SELECT 'a' || char(0) || 'b' AS text").get()?.text !== 'a\0b'
  db.close()
  return textIsCut
}

/** The text encoding of the database, as a label of `TextDecoder`. */
function encodingOf(db: NodeDatabase): string {
  return String(named(() => db.prepare('PRAGMA encoding').get())?.encoding).toLowerCase()
}

class NodeReadDatabase implements ReadDatabase {
  readonly #db: NodeDatabase
  /** Null if text values are not truncated. */
  readonly #decoder: TextDecoder | null
  #isOpen = true
  #inTransaction = false

  constructor(db: NodeDatabase, encoding: string | null) {
    this.#db = db
    this.#decoder = encoding === null ? null : new TextDecoder(encoding, { ignoreBOM: true })
  }

  get open(): boolean {
    return this.#isOpen
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  prepare(sql: string): ReadStatement {
    const statement = this.#prepare(sql)
    const decoder = this.#decoder
    const whole: Shaped = { statement, shape: valuesOf }
    if (decoder === null || sql.startsWith('PRAGMA')) return new NodeReadStatement(() => whole)
    let bytes: Shaped | null = null
    return new NodeReadStatement((parameters) => {
      bytes ??= this.#textsAsBytes(sql, namesOf(statement, parameters), decoder)
      return bytes
    })
  }

  /**
   * The query, with text values read as bytes and then decoded; null if there are no column names, because there are
   * no rows.
   */
  #textsAsBytes(sql: string, names: readonly string[], decoder: TextDecoder): Shaped | null {
    if (names.length === 0) return null
    const shape = (row: NodeRow): NodeRow => {
      const values = Object.values(row)
      return Object.fromEntries(
        names.map((name, n) => [
          name,
          values[2 * n + 1] === 1n ? decoder.decode(values[2 * n] as Uint8Array) : asRead(values[2 * n]),
        ]),
      )
    }
    return { statement: this.#prepare(textsAsBytes(sql, names.length)), shape }
  }

  #prepare(sql: string): NodeStatement {
    return named(() => {
      const statement = this.#db.prepare(sql)
      // Otherwise, reading a number beyond 2^53 would throw.
      statement.setReadBigInts(true)
      return statement
    })
  }

  pragma(sql: string, { simple = false }: { readonly simple?: boolean } = {}): unknown {
    const statement = this.prepare(`PRAGMA ${sql}`)
    return simple ? statement.pluck().get() : statement.all()
  }

  /** Readers use no transaction statements except `BEGIN` and `ROLLBACK`. */
  exec(sql: string): void {
    named(() => this.#db.exec(sql))
    if (sql === 'BEGIN') this.#inTransaction = true
    if (sql === 'ROLLBACK') this.#inTransaction = false
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#inTransaction = false
    this.#db.close()
  }
}

/**
 * Makes a query with two columns for each original column: the value, and whether the value is text that is read as
 * bytes.
 */
function textsAsBytes(sql: string, columns: number): string {
  const names = Array.from({ length: columns }, (_, n) => `c${n}`)
  const values = names.map(
    (name, n) =>
      `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END AS v${n}, typeof(${name}) = 'text' AS t${n}`,
  )
  return `WITH q (${names.join(', ')}) AS (${sql}) SELECT ${values.join(', ')} FROM q`
}

/**
 * The column names of a query. Before Node 22.16, the names are taken from the first row, so the list is empty if
 * there are no rows.
 */
function namesOf(statement: NodeStatement, parameters: readonly unknown[]): readonly string[] {
  const columns = statement.columns?.()
  if (columns !== undefined) return columns.map(({ name }) => name)
  return Object.keys(named(() => statement.get(...parameters)) ?? {})
}

/** A statement, and the function that converts its rows to the rows of better-sqlite3. */
interface Shaped {
  readonly statement: NodeStatement
  readonly shape: (row: NodeRow) => unknown
}

class NodeReadStatement implements ReadStatement {
  /** Prepares the statement for the given parameters; null if there are no rows. */
  readonly #prepared: (parameters: readonly unknown[]) => Shaped | null

  constructor(prepared: (parameters: readonly unknown[]) => Shaped | null) {
    this.#prepared = prepared
  }

  get(...parameters: unknown[]): unknown {
    const prepared = this.#prepared(parameters)
    const row = named(() => prepared?.statement.get(...parameters))
    return prepared === null || row === undefined ? undefined : prepared.shape(row)
  }

  all(...parameters: unknown[]): unknown[] {
    return [...this.iterate(...parameters)]
  }

  *iterate(...parameters: unknown[]): IterableIterator<unknown> {
    const prepared = this.#prepared(parameters)
    if (prepared === null) return
    const rows = named(() => prepared.statement.iterate(...parameters))
    try {
      for (;;) {
        const { value, done } = named(() => rows.next())
        if (done === true) return
        yield prepared.shape(value)
      }
    } finally {
      rows.return?.()
    }
  }

  pluck(): ReadStatement {
    return this.#reshaped((row) => Object.values(row)[0])
  }

  raw(): ReadStatement {
    return this.#reshaped((row) => Object.values(row))
  }

  #reshaped(reshape: (row: NodeRow) => unknown): ReadStatement {
    return new NodeReadStatement((parameters) => {
      const prepared = this.#prepared(parameters)
      if (prepared === null) return null
      return { statement: prepared.statement, shape: (row) => reshape(prepared.shape(row) as NodeRow) }
    })
  }
}

/** Converts a row to the values that better-sqlite3 returns. */
function valuesOf(row: NodeRow): NodeRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asRead(value)]))
}

function asRead(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : value
}

/** Runs `work`, and adds SQLite's name for the code to an error from `node:sqlite`, which has only the number. */
function named<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const number = (error as { readonly errcode?: unknown }).errcode
    if (!(error instanceof Error) || typeof number !== 'number') throw error
    throw Object.assign(new Error(error.message, { cause: error }), {
      code: CODES.get(number & 0xff) ?? 'SQLITE_ERROR',
    })
  }
}
