// Reads a range of rows with `COPY … TO STDOUT (FORMAT binary)`, because a verifier needs bytes, and `pg` decodes
// all other results to strings.
//
// The format is described in https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". Each row
// arrives as a separate message ("Message Flow", "COPY Operations").
import type { Place, RangeRows } from '@sudoagent/ledger/store'
import pg from 'pg'

/** The copy header: signature, flags, and the length of the empty extension. */
const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])

/** The copy trailer: −1 in place of the number of fields. */
const TRAILER = Buffer.from([0xff, 0xff])

const FIELDS = 4
const HASH_BYTES = 64
const LF = 10

/** Offsets of position and line in a row. The number of fields comes first, and each field follows its own length. */
const POSITION_AT = 2 + 4
const LINE_AT = POSITION_AT + 8 + 4

/** Size of the two hashes after the line, each of which follows its own length. */
const HASHES_BYTES = 2 * (4 + HASH_BYTES)

/**
 * Copies a range of entries: position, line, and two hashes of 64 bytes each, in order of position. There is no
 * range if the rows are not consecutive from the requested position.
 */
export class RangeCopy extends pg.Query {
  readonly #from: Place
  #lines: Buffer
  #lineBytes = 0
  readonly #entryHashes: Buffer
  readonly #prevEntryHashes: Buffer
  #rows = 0
  #state: 'begun' | 'ended' | 'broken' | null = null

  /**
   * @param select - the query for the rows after `from`, at most `maxRows`
   * @param bytes - expected size of the lines
   */
  constructor(select: string, from: Place, maxRows: number, bytes: number, done: (error: Error | undefined) => void) {
    super(`COPY (${select}) TO STDOUT (FORMAT binary)`, done)
    this.#from = from
    this.#lines = ownBuffer(bytes)
    this.#entryHashes = Buffer.allocUnsafe(maxRows * HASH_BYTES)
    this.#prevEntryHashes = Buffer.allocUnsafe(maxRows * HASH_BYTES)
  }

  /** Called by `pg` for each message. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#state === 'begun') this.#take(chunk, 0)
    else if (this.#state === null && chunk.subarray(0, HEADER.length).equals(HEADER)) {
      this.#state = 'begun'
      // The header message can also contain the first row.
      if (chunk.length > HEADER.length) this.#take(chunk, HEADER.length)
    } else this.#state = 'broken'
  }

  /**
   * Returns the range, or null if there is none. The line buffer is not shared, so it can be transferred to another
   * thread.
   */
  get range(): RangeRows | null {
    if (this.#state !== 'ended' || this.#rows === 0) return null
    const bytes = this.#rows * HASH_BYTES
    return {
      from: this.#from,
      to: this.#from + this.#rows,
      lines: this.#lines.subarray(0, this.#lineBytes),
      entryHashes: this.#entryHashes.toString('latin1', 0, bytes),
      prevEntryHashes: this.#prevEntryHashes.toString('latin1', 0, bytes),
    }
  }

  #take(chunk: Buffer, at: number): void {
    if (chunk.length - at === TRAILER.length && chunk.subarray(at).equals(TRAILER)) this.#state = 'ended'
    else if (!this.#takeRow(chunk, at)) this.#state = 'broken'
  }

  #takeRow(chunk: Buffer, at: number): boolean {
    const line = at + LINE_AT
    const hashes = chunk.length - HASHES_BYTES
    const isRow =
      hashes >= line &&
      chunk.readInt16BE(at) === FIELDS &&
      chunk.readInt32BE(at + 2) === 8 &&
      Number(chunk.readBigInt64BE(at + POSITION_AT)) === this.#from + this.#rows + 1 &&
      chunk.readInt32BE(line - 4) === hashes - line &&
      chunk.readInt32BE(hashes) === HASH_BYTES &&
      chunk.readInt32BE(hashes + 4 + HASH_BYTES) === HASH_BYTES &&
      (this.#rows + 1) * HASH_BYTES <= this.#entryHashes.length
    if (!isRow) return false
    const end = this.#lineBytes + hashes - line
    if (end + 1 > this.#lines.length) this.#grow(end + 1)
    chunk.copy(this.#lines, this.#lineBytes, line, hashes)
    this.#lines[end] = LF
    this.#lineBytes = end + 1
    chunk.copy(this.#entryHashes, this.#rows * HASH_BYTES, hashes + 4, hashes + 4 + HASH_BYTES)
    chunk.copy(this.#prevEntryHashes, this.#rows * HASH_BYTES, hashes + 8 + HASH_BYTES)
    this.#rows += 1
    return true
  }

  #grow(bytes: number): void {
    const lines = ownBuffer(Math.max(bytes, 2 * this.#lines.length))
    this.#lines.copy(lines)
    this.#lines = lines
  }
}

const ownBuffer = (bytes: number): Buffer => Buffer.from(new ArrayBuffer(bytes))
