// The ports of a ledger. Small on purpose: the engine needs `append`, the verifier needs `batches`, and nothing needs both.
import type { Hash } from '@sudoagent/crypto'
import type { EntryDraft } from './entry.js'

/** Where an entry went. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** Ledger timestamp, set under the ledger's lock; never smaller than the previous entry's. */
  readonly recordedAt: string
}

/**
 * What the engine writes to. Implement it to keep evidence elsewhere.
 *
 * `append` resolves only when the entry is durable and rejects otherwise; after a rejection the entry may still turn out to be on record
 * (a connection can die after COMMIT), so a caller must treat a rejection as "not authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft): Promise<AppendedEntry>
  /** Waits for what is under way, then lets go of files and locks. Later appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

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

/** Something wrong with the store as a whole that only its reader can see. */
export interface StoreFault {
  readonly code: 'STORE_DAMAGED' | 'TRUNCATED'
  readonly message: string
}

/** A consistent view of a ledger at the time it was opened. Never writes, never waits for a writer. */
export interface LedgerReader {
  readonly kind: 'memory' | 'jsonl' | 'sqlite'
  /** Lines in order, some hundred at a time; the event loop gets a turn in between. May be called again; each call starts at the first line. */
  batches(): AsyncIterable<readonly StoredLine[]>
  /** Faults of the store itself, known after `batches` has ended. */
  faults(): readonly StoreFault[]
  /** How many entries there are about, for progress; undefined where nobody knows. */
  readonly sizeHint: number | undefined
  close(): Promise<void>
}

/** The end of a chain: what the next entry is linked to. */
export interface Head {
  readonly size: number
  readonly entryHash: Hash | null
  readonly recordedAt: string | null
}

export const EMPTY_HEAD: Head = { size: 0, entryHash: null, recordedAt: null }
