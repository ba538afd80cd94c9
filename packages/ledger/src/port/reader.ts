// The port for reading a ledger. A store implements `LedgerReader`; `verify`, `select`, `makeReceipt` and the
// exports use it. The port for writing is `writer.ts`.
//
// A reader is a snapshot: it sees the ledger as it was when it was opened, and never waits for a writer.
// Everything that it returns is untrusted. It returns lines as bytes, the head as text and tree nodes as
// stored; the verifier checks them (LEDGER-FORMAT §6). The required part is small:
//
//   for await (const batch of reader.batches()) for (const { position, bytes } of batch) …   // all lines, in order
//   await reader.lineAt(41)                                                                  // one line
//   await reader.evidence()                                                                  // head, cosigned head
//   reader.faults()                                                                          // damage of the store
//
// The optional `ranges` lets worker threads check parts of a large ledger in parallel. `treeReader` gives O(log
// n) proofs from a stored tree, and `linesOfCall` uses an index. Without them, the lines are read from the
// beginning, with the same results.
import type { HashReader } from '@sudoagent/crypto/tree'
import type { StoredLine } from '../entry/stored-line.js'

/** Damage of the store that only its reader can detect. */
export interface StoreFault {
  readonly code: 'STORE_DAMAGED' | 'TRUNCATED' | 'STORE_FOREIGN_OBJECT'
  readonly message: string
  readonly hint?: string
}

/** A property of the store that is not damage but that its owner should know. */
export interface StoreWarning {
  readonly code: 'STORE_FOREIGN_OBJECT' | 'STORE_NEWER_TABLE' | 'STORE_WRITABLE_BY_OTHERS'
  readonly message: string
  readonly hint?: string
}

/**
 * A text stored with the entries; `unreadable` if it is not UTF-8 or is longer than a note may be; null if
 * there is none.
 */
export type StoredText = { readonly text: string } | 'unreadable' | null

/** The checkpoints stored with the entries, unchecked. */
export interface StoredEvidence {
  /** The latest checkpoint: a signed note, or the three lines of a checkpoint if entries are not signed. */
  readonly head: StoredText
  /** The latest checkpoint with cosignatures of witnesses. */
  readonly cosigned: StoredText
}

/**
 * The place where a line begins, in the unit of the store: a byte offset or a row id. 0 is the beginning of the
 * ledger.
 */
export type Place = number

/** Plain data with which another thread can open the same store. */
export type OpenedSource =
  | { readonly kind: 'jsonl'; readonly path: string; readonly end: Place }
  | { readonly kind: 'sqlite'; readonly path: string; readonly readonly: boolean }

/** The source of ranges: each thread opens the store, or this thread fetches rows and transfers them. */
export type RangeSource = OpenedSource | FetchedSource

/** A store of which only the reader has a consistent snapshot, such as a remote database. */
export interface FetchedSource {
  readonly kind: 'fetched'
  /** The rows after `from`, up to `to`; null if they are irregular or cannot be read. Must not reject. */
  fetch(from: Place, to: Place): Promise<RangeRows | null>
}

/** Rows of a database in one piece. Their places are their positions, without gaps. Unchecked. */
export interface RangeRows {
  readonly from: Place
  /** Position of the last row. */
  readonly to: Place
  /** The lines, each with its line feed. */
  readonly lines: Uint8Array
  /** The columns of the rows, concatenated: 64 hex digits for each row. The null of the first entry is left out. */
  readonly entryHashes: string
  readonly prevEntryHashes: string
}

/** The lines of a store by range, so that several ranges can be checked in parallel. */
export interface LineRanges {
  readonly source: RangeSource
  /** The place after the last line, if known. */
  readonly end: Place
  /** Length of a range: long enough to make a transfer between threads cheap, short enough to limit memory. */
  readonly step: Place
  /** The place after the first `lines` lines. */
  placeBehind(lines: number): Promise<Place>
  /** Whether the line at `place` has this position. False in a database whose ids have gaps. */
  isAt(place: Place, position: number): boolean
  /**
   * The lines that begin at or after `from` and before `to`.
   *
   * @param position - of the first line, 1-based
   * @param to - null for all remaining lines
   * @returns the place of the next line; null if there is none or it cannot be read
   */
  lines(from: Place, to: Place | null, position: number): AsyncGenerator<readonly StoredLine[], Place | null>
  /**
   * Whether ranges may be read as a whole. False for a store whose damage could make such reads endless; its
   * lines are read one by one. Absent if the store cannot have such damage. The first call starts the check.
   */
  isSound?(): Promise<boolean>
  /**
   * Called after the last line. Detects damage of the store as a whole, which `faults` then returns.
   *
   * @param health - the result of `RangeChecker.health`, if a checker has already read the whole store
   */
  finish(lines: number, health?: string): void
}

/** The kinds of store in this repository, or the kind of another driver. */
export type LedgerKind = 'memory' | 'jsonl' | 'sqlite' | 'postgres' | (string & {})

/** A consistent view of a ledger at the time it was opened. Never writes, never waits for a writer. */
export interface LedgerReader {
  /** The `kind` of the store's driver. */
  readonly kind: LedgerKind
  /**
   * Lines in order, some hundred at a time. The event loop runs between batches. May be called again.
   *
   * @param after - position of the last line to skip. Default: 0
   */
  batches(after?: number): AsyncIterable<readonly StoredLine[]>
  /** One line by its position, 1-based; null if there is none. */
  lineAt(position: number): Promise<StoredLine | null>
  /**
   * Lines that may be about a call, in order, from an index; null if the store has no index. The result may
   * include other lines, and may lack entries of the call.
   */
  linesOfCall(requestId: string): Promise<readonly StoredLine[] | null>
  /** The head and the cosigned checkpoint, read when the snapshot was opened: never newer than the lines. */
  evidence(): Promise<StoredEvidence>
  /** The nodes of the stored tree, unverified; null if there is no stored tree of `size` leaves. */
  treeReader(size: number): HashReader | null
  /** Absent if the store can only be read from the beginning. */
  readonly ranges?: LineRanges
  /** Damage of the store, known after `batches` has ended. */
  faults(): readonly StoreFault[]
  /** Objects in the store that do not belong to a ledger. Absent if the store cannot contain any. */
  warnings?(): readonly StoreWarning[]
  /** Approximate number of entries, for progress; undefined if unknown. */
  readonly sizeHint: number | undefined
  close(): Promise<void>
}
