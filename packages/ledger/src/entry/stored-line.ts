// A line of a ledger as a store returns it, before any check.

/** The other columns of an entry's row in SQLite, unchecked. */
export interface StoredColumns {
  readonly id: unknown
  readonly entryHash: unknown
  readonly prevEntryHash: unknown
}

/** Why a line is returned without its bytes. */
export type LineFault = 'LINE_TOO_LONG' | 'LINE_TORN' | 'COLUMN_MISMATCH'

/** One stored line, before any check. */
export interface StoredLine {
  readonly position: number
  readonly bytes: Uint8Array
  readonly columns?: StoredColumns
  readonly fault?: LineFault
}
