// The part of a SQLite driver that readers need. Writers use better-sqlite3. If the native module cannot be loaded,
// readers use `node:sqlite`, so that verification does not need a compiler.

/**
 * A statement. Rows are returned as objects; `pluck` returns only the first column, and `raw` returns arrays.
 * Integers are numbers, even beyond 2^53; blobs are Buffers.
 */
export interface ReadStatement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  pluck(): ReadStatement
  raw(): ReadStatement
}

/** A connection. The `code` of an error is SQLite's name for the code, such as `SQLITE_BUSY`. */
export interface ReadDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): ReadStatement
  pragma(sql: string, options?: { readonly simple?: boolean }): unknown
  exec(sql: string): unknown
  close(): unknown
}
