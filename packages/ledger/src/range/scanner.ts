// Reads ranges of a ledger piece by piece and does something with each. Used by the thread that asks, and by threads that help it; each has its own.
import { closeSync, openSync, readSync } from 'node:fs'
import { countLines } from '../plain/plain-text.js'
import type { OpenedSource, Place } from '../port/reader.js'
import type { ReadDatabase, ReadStatement } from '../store/sqlite/read-database.js'
import { healthOf, LINES_OF_ROWS, type LinesOfRows } from '../store/sqlite/tables.js'
import { type DoPiece, doerOf, type PieceWork } from './task.js'

/** A range that was dealt with as a whole. */
export interface RangeText {
  /** What is to be handed out, piece by piece; empty texts where nothing is. */
  readonly texts: readonly string[]
  readonly lines: number
  /** Where the line behind its last one would begin. */
  readonly to: Place
}

export interface RangeScanner {
  /**
   * @param from - where a line begins
   * @param position - of that line
   * @returns null for a range that must be looked at line by line
   * @throws when the store cannot be read
   */
  scan(from: Place, to: Place, position: number): RangeText | null
  /** What the store as a whole says of itself: `ok`, or what is wrong. Reads all of it. */
  health(): string
  close(): void
}

/** @throws when the store cannot be opened */
export async function openRangeScanner(source: OpenedSource, work: PieceWork): Promise<RangeScanner> {
  const doPiece = doerOf(work)
  if (source.kind === 'jsonl') return new PieceScanner(new JsonlPieces(source.path, source.end), doPiece)
  const { openUntrusted } = await import('../store/sqlite/snapshot.js')
  return new PieceScanner(new SqlitePieces(openUntrusted(source)), doPiece)
}

const LF = 10

/** Whole lines, and where the next one begins. */
interface Piece {
  readonly bytes: Buffer
  readonly lines: number
  readonly next: Place
}

interface Pieces {
  /** Null where there is none of the usual kind. @throws when the store cannot be read */
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

/** Read at a time. V8 keeps strings of more than 128 KiB in another space, where making one costs five times as much. */
const PIECE_BYTES = 128 * 1024

class JsonlPieces implements Pieces {
  readonly #fd: number
  readonly #end: Place
  /** One for all pieces: what is kept of a piece is copied out of it. */
  readonly #buffer = Buffer.alloc(PIECE_BYTES)

  constructor(path: string, end: Place) {
    this.#fd = openSync(path, 'r')
    this.#end = end
  }

  read(from: Place): Piece | null {
    const length = readSync(this.#fd, this.#buffer, 0, Math.min(PIECE_BYTES, this.#end - from), from)
    const bytes = this.#buffer.subarray(0, this.#buffer.subarray(0, length).lastIndexOf(LF) + 1)
    // A line that is longer, or is not at its end yet.
    return bytes.length === 0 ? null : { bytes, lines: countLines(bytes), next: from + bytes.length }
  }

  health(): string {
    return 'ok'
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Rows of a piece: some 128 KiB of usual ones. */
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
    // No gap, so that ids are positions; no row with a line feed of its own, which would be taken for two; and none that was left out.
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
