// The form in which a store returns a ledger line.

/** The other columns of an entry's row in SQLite, unchecked. */
export interface StoredColumns {
  readonly id: unknown
  readonly entryHash: unknown
  readonly prevEntryHash: unknown
}

/** The reason why a line is returned without its bytes. */
export type LineFault = 'LINE_TOO_LONG' | 'LINE_TORN' | 'COLUMN_MISMATCH'

/** One stored line, before any check. */
export interface StoredLine {
  readonly position: number
  readonly bytes: Uint8Array
  readonly columns?: StoredColumns
  readonly fault?: LineFault
}
