const NEWLINE = 0x0a
const RETURN = 0x0d

/** Cuts a stream of bytes into lines, holding at most one of them. */
export class LineReader {
  readonly #bytesMax: number
  #parts: Uint8Array[] = []
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The lines that this chunk completes, without their ends. @throws RangeError when a line is too long: its sender cannot be followed any more */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const part = chunk.subarray(start, end === -1 ? chunk.length : end)
      this.#length += part.length
      if (this.#length > this.#bytesMax) {
        this.#parts = []
        throw new RangeError(`a message is longer than ${this.#bytesMax} bytes`)
      }
      if (end === -1) {
        if (part.length > 0) this.#parts.push(part)
        return
      }
      const line = this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part], this.#length)
      this.#parts = []
      this.#length = 0
      start = end + 1
      yield line.at(-1) === RETURN ? line.subarray(0, -1) : line
    }
  }
}
