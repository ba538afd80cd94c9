// The ports of a ledger. Small on purpose: the engine needs `append`, the verifier needs `batches`, and nothing needs both.
import type { Hash, HashReader, Signer } from '@sudoagent/crypto'
import type { EntryDraft } from './entry.js'

/** Where an entry went. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** Ledger timestamp, set under the ledger's lock; never smaller than the previous entry's. */
  readonly recordedAt: string
}

/** A draft that waits for nothing but the moment at which what it tells has happened. */
export interface PreparedEntry {
  /** As `LedgerWriter.append`. @param createdAt - ledger timestamp, in place of the draft's `created_at` */
  append(createdAt: string): Promise<AppendedEntry>
}

/**
 * What the engine writes to. Implement it to keep evidence elsewhere.
 *
 * `append` resolves only when the entry is durable and rejects otherwise; after a rejection the entry may still turn out to be on record
 * (a connection can die after COMMIT), so a caller must treat a rejection as "not authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft): Promise<AppendedEntry>
  /**
   * Writes the genesis where the ledger is empty, so that a day without a call verifies too; otherwise does nothing. For
   * whoever opens a ledger to write calls: `SudoEngine.open`, `openLedgerWriter` and `mcp guard` await it.
   *
   * @throws (as a rejection) LedgerError as `append`
   */
  begin?(): Promise<void>
  /**
   * How far the ledger's time is ahead of this writer's clock, in milliseconds; 0 or less when it is not. Entries get the
   * ledger's time, so that an approval would be over before anybody could give it.
   */
  aheadMs?(): Promise<number>
  /**
   * Does ahead what an append of this draft takes before it is sent; for a ledger that is waited for while nothing else is to do. Nothing is written,
   * now or later, unless its `append` is called.
   *
   * @throws LedgerError ENTRY_REFUSED
   */
  prepare?(draft: EntryDraft): PreparedEntry
  /** Waits for what is under way, then lets go of files and locks. Later appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

/** What a ledger can be told about itself; each is one control entry (LEDGER-FORMAT §5), durable when it resolves. */
export interface ControlWriter {
  /** Lets a new key sign from now on. The new key signs for itself; the entry is signed by this writer's key. @throws LedgerError ENTRY_REFUSED */
  addKey(signer: Signer): Promise<AppendedEntry>
  /** Takes a key away, this writer's own perhaps; one key must stay. @throws LedgerError ENTRY_REFUSED */
  retireKey(keyId: string): Promise<AppendedEntry>
  /** Ends the ledger: nothing can be appended any more, by anybody. */
  closeForGood(): Promise<AppendedEntry>
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
  readonly code: 'STORE_DAMAGED' | 'TRUNCATED' | 'STORE_FOREIGN_OBJECT'
  readonly message: string
  readonly hint?: string
}

/** Something about the store that does not make it wrong, and that its owner should know. */
export interface StoreWarning {
  readonly code: 'STORE_FOREIGN_OBJECT' | 'STORE_NEWER_TABLE' | 'STORE_WRITABLE_BY_OTHERS'
  readonly message: string
  readonly hint?: string
}

/** A text that is kept beside the entries; `unreadable` when what is there is no UTF-8 text of a note's length; null when nothing is. */
export type StoredText = { readonly text: string } | 'unreadable' | null

/** What is kept beside the entries, as it was found. */
export interface StoredEvidence {
  /** The latest checkpoint: a signed note, or the three lines of a checkpoint where entries are not signed. */
  readonly head: StoredText
  /** The last checkpoint that witnesses cosigned. */
  readonly cosigned: StoredText
}

/** Where a line begins, in a store's own measure: an offset in bytes, a row id. 0 is where the ledger begins. */
export type Place = number

/** What another thread needs to read the same store by itself: plain data. */
export type OpenedSource =
  | { readonly kind: 'jsonl'; readonly path: string; readonly end: Place }
  | { readonly kind: 'sqlite'; readonly path: string; readonly readonly: boolean }

/** Where ranges come from: each thread reads them, or this one does and hands them over. */
export type RangeSource = OpenedSource | FetchedSource

/** A store of which only the reader has a consistent view: a database of another machine. */
export interface FetchedSource {
  readonly kind: 'fetched'
  /** The rows behind `from`, up to `to`; null when they are not of the usual kind, or cannot be read. Must not reject. */
  fetch(from: Place, to: Place): Promise<RangeRows | null>
}

/** Rows of a database, as one piece: their places are their positions, without a gap. Unchecked, like all that a store holds. */
export interface RangeRows {
  readonly from: Place
  /** The position of the last of them. */
  readonly to: Place
  /** Each with its line feed. */
  readonly lines: Uint8Array
  /** The columns beside them, one text of 64 hex digits for each row; a null of the first entry is left out. */
  readonly entryHashes: string
  readonly prevEntryHashes: string
}

/** The lines of a store range by range, so that several ranges can be looked at side by side. */
export interface LineRanges {
  readonly source: RangeSource
  /** Behind the last line, as far as that is known. */
  readonly end: Place
  /** How long a range should be: long enough to make handing it over cheap, short enough to keep memory flat. */
  readonly step: Place
  /** Where the lines behind the first `lines` of them begin. */
  placeBehind(lines: number): Promise<Place>
  /** Whether the line at `place` has this position: in a database with gaps in its ids, it has not. */
  isAt(place: Place, position: number): boolean
  /**
   * The lines that begin at or behind `from`, and before `to`.
   *
   * @param position - of the first of them, 1-based
   * @param to - null for all the rest
   * @returns where the next line begins; null when there is none, or none that can be read
   */
  lines(from: Place, to: Place | null, position: number): AsyncGenerator<readonly StoredLine[], Place | null>
  /**
   * Whether ranges may be read as a whole. False for a store that is damaged in a way that would make such reads endless: then lines are read one by
   * one. Absent where that cannot be. Begins to look when it is first called.
   */
  isSound?(): Promise<boolean>
  /**
   * To be called behind the last line: finds what only the store as a whole can tell, for `faults`.
   *
   * @param health - what somebody else has found who looked at all of the store (`RangeJudge.health`)
   */
  finish(lines: number, health?: string): void
}

/** A consistent view of a ledger at the time it was opened. Never writes, never waits for a writer. */
export interface LedgerReader {
  readonly kind: 'memory' | 'jsonl' | 'sqlite' | 'postgres'
  /**
   * Lines in order, some hundred at a time; the event loop gets a turn in between. May be called again.
   *
   * @param after - position of the last line to leave out, 0 unless given
   */
  batches(after?: number): AsyncIterable<readonly StoredLine[]>
  /** One line by its position, 1-based; null when there is none. */
  lineAt(position: number): Promise<StoredLine | null>
  /**
   * Lines that may be about a call, in order, without reading all of them; null where nobody keeps book of that. Others may be among them, and
   * an entry that is not among them may be there all the same.
   */
  linesOfCall(requestId: string): Promise<readonly StoredLine[] | null>
  /** The head and the cosigned checkpoint, taken when the view was opened: never newer than the lines. */
  evidence(): Promise<StoredEvidence>
  /** The nodes of the stored tree; null when no tree is stored, or none that has `size` leaves. Unverified, like all that a store holds. */
  treeReader(size: number): HashReader | null
  /** Absent where a store can only be read from the beginning. */
  readonly ranges?: LineRanges
  /** Faults of the store itself, known after `batches` has ended. */
  faults(): readonly StoreFault[]
  /** What is there besides a ledger. Absent where a store holds nothing else. */
  warnings?(): readonly StoreWarning[]
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
