// The port of a ledger that is read: what the verifier needs, `batches`, and what lets large ledgers be read range by range.
import type { HashReader } from '@sudoagent/crypto'
import type { StoredLine } from '../entry/stored-line.js'

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
   * @param health - what somebody else has found who looked at all of the store (`RangeChecker.health`)
   */
  finish(lines: number, health?: string): void
}

/** The kinds of store of this repository, and any other that a driver brings. */
export type LedgerKind = 'memory' | 'jsonl' | 'sqlite' | 'postgres' | (string & {})

/** A consistent view of a ledger at the time it was opened. Never writes, never waits for a writer. */
export interface LedgerReader {
  /** The kind of store, as its driver calls it. */
  readonly kind: LedgerKind
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
