// Reads a range of a ledger in batches and processes each batch. The calling thread and each worker thread have their
// own scanner.
import { closeSync, openSync, readSync } from 'node:fs'
import { countLines } from '../plain/plain-text.js'
import type { OpenedSource, Place } from '../port/reader.js'
import type { ReadDatabase, ReadStatement } from '../store/sqlite/read-database.js'
import { healthOf, LINES_OF_ROWS, type LinesOfRows } from '../store/sqlite/tables.js'
import { type DoPiece, doerOf, type PieceWork } from './task.js'

/** The result of a range. */
export interface RangeText {
  /** The outputs of the batches; empty outputs are omitted. */
  readonly texts: readonly string[]
  readonly lines: number
  /** The place after the last line. */
  readonly to: Place
}

export interface RangeScanner {
  /**
   * @param from - place of a line
   * @param position - position of that line
   * @returns null if the range must be read line by line
   * @throws if the store cannot be read
   */
  scan(from: Place, to: Place, position: number): RangeText | null
  /** Runs the store's integrity check, which reads the whole store. Returns `ok` or the damage. */
  health(): string
  close(): void
}

/** @throws if the store cannot be opened */
export async function openRangeScanner(source: OpenedSource, work: PieceWork): Promise<RangeScanner> {
  const doPiece = doerOf(work)
  if (source.kind === 'jsonl') return new PieceScanner(new JsonlPieces(source.path, source.end), doPiece)
  const { openUntrusted } = await import('../store/sqlite/snapshot.js')
  return new PieceScanner(new SqlitePieces(openUntrusted(source)), doPiece)
}

const LF = 10

/** Whole lines, and the place of the next line. */
interface Piece {
  readonly bytes: Buffer
  readonly lines: number
  readonly next: Place
}

interface Pieces {
  /** Null if the next batch is irregular. @throws if the store cannot be read */
  read(from: Place, to: Place): Piece | null
  health(): string
  close(): void
}

class PieceScanner implements RangeScanner {
  readonly #pieces: Pieces
  readonly #do: DoPiece

  constructor(pieces: Pieces, doPiece: DoPiece) {
    this.#pieces = pieces
    this.#do = doPiece
  }

  scan(from: Place, to: Place, position: number): RangeText | null {
    const texts: string[] = []
    let lines = 0
    let at = from
    while (at < to) {
      const piece = this.#pieces.read(at, to)
      const text = piece && this.#do(piece.bytes, position + lines)
      if (piece === null || text === null) return null
      texts.push(text)
      lines += piece.lines
      at = piece.next
    }
    return { texts, lines, to: at }
  }

  health(): string {
    return this.#pieces.health()
  }

  close(): void {
    this.#pieces.close()
  }
}

/**
 * Number of bytes read at a time. V8 stores strings of more than 128 KiB in the large object space, where allocation
 * is five times as expensive.
 */
const PIECE_BYTES = 128 * 1024

class JsonlPieces implements Pieces {
  readonly #fd: number
  readonly #end: Place
  /** One buffer for all batches; results are copied. */
  readonly #buffer = Buffer.alloc(PIECE_BYTES)

  constructor(path: string, end: Place) {
    this.#fd = openSync(path, 'r')
    this.#end = end
  }

  read(from: Place): Piece | null {
    const length = readSync(this.#fd, this.#buffer, 0, Math.min(PIECE_BYTES, this.#end - from), from)
    const bytes = this.#buffer.subarray(0, this.#buffer.subarray(0, length).lastIndexOf(LF) + 1)
    // The line is longer than the buffer, or is incomplete.
    return bytes.length === 0 ? null : { bytes, lines: countLines(bytes), next: from + bytes.length }
  }

  health(): string {
    return 'ok'
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Number of rows read at a time: about 128 KiB of typical rows. */
const PIECE_ROWS = 128

const SELECT_PIECE = `SELECT ${LINES_OF_ROWS} FROM ledger NOT INDEXED WHERE id > ? AND id <= ?`

class SqlitePieces implements Pieces {
  readonly #db: ReadDatabase
  readonly #select: ReadStatement

  constructor(db: ReadDatabase) {
    this.#db = db
    this.#select = db.prepare(SELECT_PIECE)
  }

  read(from: Place, to: Place): Piece | null {
    const end = Math.min(from + PIECE_ROWS, to)
    const { first, last, rows, lines: bytes } = this.#select.get(from, end) as LinesOfRows
    // The piece must have every id, so that ids are positions. It must not have a missing row, or a row that contains
    // a line feed, which would count as two lines.
    const isWhole = first === from + 1 && last === end && rows === end - from && bytes !== null
    return isWhole && countLines(bytes) === rows && !hasEmptyLine(bytes) ? { bytes, lines: rows, next: end } : null
  }

  health(): string {
    return healthOf(this.#db)
  }

  close(): void {
    this.#db.close()
  }
}

function hasEmptyLine(bytes: Buffer): boolean {
  return bytes[0] === LF || bytes.includes('\n\n')
}
