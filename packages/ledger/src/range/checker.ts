// Reads a range of a ledger as one block of bytes and checks it. The verifying thread and each worker thread
// have their own checker.
import { closeSync, openSync, readSync } from 'node:fs'
import { ChunkChecker, type ChunkKeys } from '../plain/chunk-checker.js'
import type { ChunkSummary } from '../plain/chunk-summary.js'
import type { OpenedSource, Place, RangeRows } from '../port/reader.js'
import type { ReadDatabase, ReadStatement } from '../store/sqlite/read-database.js'
import { healthOf, LINES_OF_ROWS, type LinesOfRows } from '../store/sqlite/tables.js'

/** A range whose lines are valid by themselves. */
export interface RangeSummary extends ChunkSummary {
  /** The place of the first line, and the place after the last line. */
  readonly from: Place
  readonly to: Place
}

export interface RangeChecker {
  /**
   * @param listsAllowed - whether the summary lists the calls that are allowed
   * @returns null if the range must be read line by line
   * @throws if the store cannot be read
   */
  check(from: Place, to: Place, listsAllowed: boolean): RangeSummary | null
  /** Runs the store's integrity check, which reads the whole store. Returns `ok` or the damage. */
  health(): string
  close(): void
}

/** Checks rows of a database. Returns null if the rows must be read line by line. */
export function checkRows(checker: ChunkChecker, rows: RangeRows, listsAllowed: boolean): RangeSummary | null {
  const { from, to, lines, entryHashes, prevEntryHashes } = rows
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length)
  const facts = checker.check(bytes, { entryHashes, prevEntryHashes }, listsAllowed)
  return facts?.lines === to - from ? { ...facts, from, to } : null
}

/** @throws if the store cannot be opened */
export async function openRangeChecker(source: OpenedSource, keys: ChunkKeys): Promise<RangeChecker> {
  if (source.kind === 'jsonl') return new JsonlRanges(source.path, source.end, new ChunkChecker(keys))
  const { openUntrusted } = await import('../store/sqlite/snapshot.js')
  return new SqliteRanges(openUntrusted(source), new ChunkChecker(keys))
}

const LF = 10

/**
 * Number of bytes read after the end of a range, to complete its last line. Longer lines are rare and are read one by
 * one.
 */
const OVERHANG_BYTES = 64 * 1024

class JsonlRanges implements RangeChecker {
  readonly #fd: number
  readonly #end: Place
  readonly #checker: ChunkChecker
  /** One buffer for all ranges; the checker copies the bytes that it needs later. */
  #buffer = Buffer.alloc(0)

  constructor(path: string, end: Place, checker: ChunkChecker) {
    this.#fd = openSync(path, 'r')
    this.#end = end
    this.#checker = checker
  }

  check(from: Place, to: Place, listsAllowed: boolean): RangeSummary | null {
    // The read begins one byte before `from`: a line feed in that byte shows that a line begins exactly at `from`.
    const start = Math.max(0, from - 1)
    const bytes = this.#read(start, Math.min(to + OVERHANG_BYTES, this.#end))
    const first = from === 0 ? 0 : bytes.indexOf(LF) + 1
    const end = bytes.indexOf(LF, Math.max(0, Math.min(to, this.#end) - 1 - start)) + 1
    if ((first === 0 && from !== 0) || end === 0 || first >= end) return null
    const facts = this.#checker.check(bytes.subarray(first, end), null, listsAllowed)
    return facts && { ...facts, from: start + first, to: start + end }
  }

  health(): string {
    return 'ok'
  }

  close(): void {
    closeSync(this.#fd)
  }

  #read(from: Place, to: Place): Buffer {
    if (this.#buffer.length < to - from) this.#buffer = Buffer.alloc(to - from)
    let length = 0
    while (length < to - from) {
      const read = readSync(this.#fd, this.#buffer, length, to - from - length, from + length)
      if (read === 0) break
      length += read
    }
    return this.#buffer.subarray(0, length)
  }
}

const hashColumn = (name: string): string =>
  `group_concat(CASE WHEN typeof(${name}) = 'text' AND octet_length(${name}) = 64 THEN ${name} END, '')`

// Reading one concatenated value for each range is twice as fast as reading four values for each row, and gives the
// bytes of a JSONL file. Rows come in id order. SQLite does not guarantee this order, but rows in a different order
// would fail the check of the hash chain.
const SELECT_RANGE = `SELECT ${LINES_OF_ROWS},
  ${hashColumn('entry_hash')} AS hashes, ${hashColumn('prev_entry_hash')} AS previous
  FROM ledger NOT INDEXED WHERE id > ? AND id <= ?`

interface RangeRow extends LinesOfRows {
  readonly hashes: string | null
  readonly previous: string | null
}

class SqliteRanges implements RangeChecker {
  readonly #db: ReadDatabase
  readonly #checker: ChunkChecker
  readonly #select: ReadStatement

  constructor(db: ReadDatabase, checker: ChunkChecker) {
    this.#db = db
    this.#checker = checker
    this.#select = db.prepare(SELECT_RANGE)
  }

  check(from: Place, to: Place, listsAllowed: boolean): RangeSummary | null {
    const { first, last, rows, lines, hashes, previous } = this.#select.get(from, to) as RangeRow
    if (first !== from + 1 || last !== from + rows || lines === null) return null
    const columns = { entryHashes: hashes ?? '', prevEntryHashes: previous ?? '' }
    return checkRows(this.#checker, { from, to: last, lines, ...columns }, listsAllowed)
  }

  health(): string {
    return healthOf(this.#db)
  }

  close(): void {
    this.#db.close()
  }
}
