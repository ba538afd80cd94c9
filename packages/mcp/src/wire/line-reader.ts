import { SKIPPED_BYTES_MAX } from '../limits.js'
import { type FoundId, MessageIdScanner } from './message-id.js'

const NEWLINE = 0x0a
const RETURN = 0x0d

/** A skipped line that exceeded the message limit, with the id found in the line. */
export class LongLine {
  readonly found: FoundId

  constructor(found: FoundId) {
    this.found = found
  }
}

/** Splits a byte stream into lines. Buffers at most one line. */
export class LineReader {
  readonly #maxBytes: number
  #parts: Uint8Array[] = []
  #length = 0
  /** Scans the rest of an overlong line for its id. */
  #skipping: MessageIdScanner | null = null

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Returns the lines that this chunk completes, without line endings.
   *
   * @throws RangeError if a line is so long that the sender must be disconnected
   */
  *push(chunk: Uint8Array): Generator<Uint8Array | LongLine> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const part = chunk.subarray(start, end === -1 ? chunk.length : end)
      this.#add(part)
      if (end === -1) return
      start = end + 1
      yield this.#line()
    }
  }

  #add(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length > SKIPPED_BYTES_MAX) throw new RangeError(`a message is longer than ${SKIPPED_BYTES_MAX} bytes`)
    if (this.#skipping === null && this.#length > this.#maxBytes) {
      this.#skipping = new MessageIdScanner()
      for (const held of this.#parts.splice(0)) this.#skipping.push(held)
    }
    if (this.#skipping !== null) this.#skipping.push(part)
    else if (part.length > 0) this.#parts.push(part)
  }

  #line(): Uint8Array | LongLine {
    const [first = new Uint8Array()] = this.#parts
    const line = this.#parts.length <= 1 ? first : Buffer.concat(this.#parts, this.#length)
    const skipped = this.#skipping
    this.#parts = []
    this.#length = 0
    this.#skipping = null
    if (skipped !== null) return new LongLine(skipped.found())
    return line.at(-1) === RETURN ? line.subarray(0, -1) : line
  }
}
