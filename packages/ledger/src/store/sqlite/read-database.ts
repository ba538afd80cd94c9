// What readers need of a SQLite driver. Writers use better-sqlite3; readers take Node's own `node:sqlite` where its native module cannot be loaded,
// so that whoever only verifies needs no compiler.

/** A statement. Rows are objects; `pluck` gives the first column alone, `raw` arrays. Integers are numbers, also beyond 2^53; blobs are Buffers. */
export interface ReadStatement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  pluck(): ReadStatement
  raw(): ReadStatement
}

/** A connection. Errors have the `code` that SQLite names them by: `SQLITE_BUSY`. */
export interface ReadDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): ReadStatement
  pragma(sql: string, options?: { readonly simple?: boolean }): unknown
  exec(sql: string): unknown
  close(): unknown
}
