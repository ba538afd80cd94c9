// A line of a ledger as a store hands it over, not yet looked at.

/** What stood beside an entry in a SQLite row, as it was found. */
/** What stood beside an entry in a SQLite row, as it was found. */
export interface StoredColumns {
  readonly id: unknown
  readonly entryHash: unknown
  readonly prevEntryHash: unknown
}

/** Why a line's bytes were not handed over. */
export type LineFault = 'LINE_TOO_LONG' | 'LINE_TORN' | 'COLUMN_MISMATCH'

/** One stored line, not yet looked at. */
export interface StoredLine {
  readonly position: number
  readonly bytes: Uint8Array
  readonly columns?: StoredColumns
  readonly fault?: LineFault
}
