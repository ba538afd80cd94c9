// The interface for reading a ledger. A store implements `LedgerReader`; `verify`, `select`, `makeReceipt` and the
// exports use the interface. `writer.ts` has the interface for writing.
//
// A reader is a snapshot: it shows the ledger as of the time when the reader was opened, and never waits for a
// writer. A reader returns lines as bytes, the head as text and tree nodes as stored. All of these are untrusted; the
// verifier checks them (LEDGER-FORMAT §6). The required part of the interface is small:
//
//   for await (const batch of reader.batches()) for (const { position, bytes } of batch) …   // all lines, in order
//   await reader.lineAt(41)                                                                  // one line
//   await reader.evidence()                                                                  // head, cosigned head
//   reader.faults()                                                                          // damage to the store
//
// The optional `ranges` lets worker threads check parts of a large ledger in parallel. `treeReader` allows proofs
// from a stored tree in O(log n), and `linesOfCall` uses an index. Without these methods, all lines are read, with
// the same results.
import type { HashReader } from '@sudoagent/crypto/tree'
import type { StoredLine } from '../entry/stored-line.js'

/** Damage to the store that only its reader can detect. */
export interface StoreFault {
  readonly code: 'STORE_DAMAGED' | 'TRUNCATED' | 'STORE_FOREIGN_OBJECT'
  readonly message: string
  readonly hint?: string
}

/** A property of the store that is not damage but that the owner of the ledger should know about. */
export interface StoreWarning {
  readonly code: 'STORE_FOREIGN_OBJECT' | 'STORE_NEWER_TABLE' | 'STORE_WRITABLE_BY_OTHERS'
  readonly message: string
  readonly hint?: string
}

/**
 * Text stored with the entries; `unreadable` if it is not UTF-8 or exceeds the maximum length of a note; null if
 * there is none.
 */
export type StoredText = { readonly text: string } | 'unreadable' | null

/** The checkpoints stored with the entries, unchecked. */
export interface StoredEvidence {
  /** The latest checkpoint: a signed note, or the three lines of a checkpoint if entries are not signed. */
  readonly head: StoredText
  /** The latest checkpoint that has witness cosignatures. */
  readonly cosigned: StoredText
}

/**
 * The place where a line begins: a byte offset or a row id, depending on the store. 0 is the beginning of the ledger.
 */
export type Place = number

/** Plain data from which a different thread can open the same store. */
export type OpenedSource =
  | { readonly kind: 'jsonl'; readonly path: string; readonly end: Place }
  | { readonly kind: 'sqlite'; readonly path: string; readonly readonly: boolean }

/**
 * The source of ranges: either each thread opens the store, or this thread fetches the rows and transfers them to the
 * other threads.
 */
export type RangeSource = OpenedSource | FetchedSource

/** A store in which only the reader has a consistent snapshot, such as a remote database. */
export interface FetchedSource {
  readonly kind: 'fetched'
  /** The rows after `from`, up to `to`; null if they are irregular or cannot be read. Must not reject. */
  fetch(from: Place, to: Place): Promise<RangeRows | null>
}

/** Consecutive rows of a database, unchecked. The ids are the positions, without gaps. */
export interface RangeRows {
  readonly from: Place
  /** Position of the last row. */
  readonly to: Place
  /** The lines, each with its line feed. */
  readonly lines: Uint8Array
  /** The hash columns of the rows, concatenated: 64 hex digits for each row. The null of the first entry is omitted. */
  readonly entryHashes: string
  readonly prevEntryHashes: string
}

/** Reads the lines of a store by range, so that several ranges can be checked in parallel. */
export interface LineRanges {
  readonly source: RangeSource
  /** The place after the last line, if known. */
  readonly end: Place
  /** Length of a range: long enough for cheap transfers between threads, and short enough to limit memory. */
  readonly step: Place
  /** The place after the first `lines` lines. */
  placeBehind(lines: number): Promise<Place>
  /** Whether the line at `place` has this position. False if the ids in a database have gaps. */
  isAt(place: Place, position: number): boolean
  /**
   * The lines that begin at or after `from` and before `to`.
   *
   * @param position - position of the first line, 1-based
   * @param to - null for all remaining lines
   * @returns the place of the next line; null if there is no next line, or if it cannot be read
   */
  lines(from: Place, to: Place | null, position: number): AsyncGenerator<readonly StoredLine[], Place | null>
  /**
   * Whether ranges may be read as a whole. If false, lines are read one by one, because damage to the store could
   * make the read of a range endless. The first call starts the check. Absent if the store cannot have such damage.
   */
  isSound?(): Promise<boolean>
  /**
   * Called after the last line. Detects damage to the store as a whole, which `faults` then returns.
   *
   * @param health - the result of `RangeChecker.health`, if a checker has already read the whole store
   */
  finish(lines: number, health?: string): void
}

/** The kind of a store: a built-in kind, or the kind of a third-party driver. */
export type LedgerKind = 'memory' | 'jsonl' | 'sqlite' | 'postgres' | (string & {})

/**
 * A consistent snapshot of a ledger as of the time when the reader was opened. A reader never writes and never waits
 * for a writer.
 */
export interface LedgerReader {
  /** The `kind` of the store's driver. */
  readonly kind: LedgerKind
  /**
   * Yields the lines in order, a few hundred at a time. The event loop runs between batches. May be called
   * repeatedly.
   *
   * @param after - the position of the last line to skip. Default: 0
   */
  batches(after?: number): AsyncIterable<readonly StoredLine[]>
  /** One line by its position, 1-based; null if there is none. */
  lineAt(position: number): Promise<StoredLine | null>
  /**
   * Candidate lines for a call, in order, from an index; null if the store has no index. The result may include lines
   * of other calls, and may lack entries of the call.
   */
  linesOfCall(requestId: string): Promise<readonly StoredLine[] | null>
  /**
   * The head and the cosigned checkpoint, which were read when the snapshot was opened and are never newer than the
   * lines.
   */
  evidence(): Promise<StoredEvidence>
  /** Returns the nodes of the stored tree, unverified; null if there is no stored tree of `size` leaves. */
  treeReader(size: number): HashReader | null
  /** Absent if the store can only be read from the beginning. */
  readonly ranges?: LineRanges
  /** Damage to the store, known after `batches` has ended. */
  faults(): readonly StoreFault[]
  /** Objects in the store that do not belong to a ledger. Absent if the store cannot contain any. */
  warnings?(): readonly StoreWarning[]
  /** Approximate number of entries, for progress reports; undefined if unknown. */
  readonly sizeHint: number | undefined
  close(): Promise<void>
}
