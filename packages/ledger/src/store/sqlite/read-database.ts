// The part of a SQLite driver that readers need. Writers use better-sqlite3. If its native module cannot be
// loaded, readers use Node's own `node:sqlite`, so that verifying needs no compiler.

/**
 * A statement. Rows are objects; `pluck` gives only the first column, `raw` gives arrays. Integers are numbers,
 * even beyond 2^53; blobs are Buffers.
 */
export interface ReadStatement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  pluck(): ReadStatement
  raw(): ReadStatement
}

/** A connection. The `code` of an error is SQLite's name for it, such as `SQLITE_BUSY`. */
export interface ReadDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): ReadStatement
  pragma(sql: string, options?: { readonly simple?: boolean }): unknown
  exec(sql: string): unknown
  close(): unknown
}
