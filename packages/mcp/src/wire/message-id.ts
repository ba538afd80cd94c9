/**
 * Finds the id in the text of a message that cannot be parsed, because the message is too long or its content was
 * refused. Without the id, the error response would have the id null, and the caller would wait until its timeout.
 * The text arrives in chunks, and only the id is buffered.
 *
 *   {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":1,"a":2}}   request 7
 *   {"id":7,"id":8,"method":"x"}                                            a request with an ambiguous id
 */
import type { RequestId } from '@modelcontextprotocol/sdk/types.js'

/** A JSON-RPC id; an integer beyond ±(2^53−1) is a bigint. */
export type MessageId = RequestId | bigint

export interface FoundId {
  /** Null if the text has no id or several ids, or if the id is neither a string nor an integer. */
  readonly id: MessageId | null
  readonly kind: 'request' | 'response' | 'other'
}

/** Maximum length of a buffered key or id. A longer key is not `id`, and a longer id is not usable. */
const KEPT_BYTES_MAX = 1_024

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** @returns the integer or string in the JSON text; null for anything else */
export function readId(text: string): MessageId | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value.isWellFormed() ? value : null
    if (typeof value !== 'number' || !Number.isInteger(value)) return null
    if (Number.isSafeInteger(value)) return value
    return /^-?\d+$/.test(text.trim()) ? BigInt(text.trim()) : null
  } catch {
    return null
  }
}

export class MessageIdScanner {
  readonly #ids: (string | null)[] = []
  readonly #keys = new Set<string>()
  /** Nesting level of the message members: 1, or 2 in a batch. Null before the first bracket. */
  #level: number | null = null
  #depth = 0
  #inString = false
  #escaped = false
  /** True if the next string is a key of the message. */
  #beforeKey = false
  #key: string | null = null
  /** The buffered bytes of a key or of the id. */
  #kept: number[] | null = null

  /** Finds the id of a complete message. */
  static find(message: Uint8Array): FoundId {
    const scanner = new MessageIdScanner()
    scanner.push(message)
    return scanner.found()
  }

  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1) {
      // Skips quickly within strings, because long messages consist mostly of strings.
      if (this.#inString && !this.#escaped && this.#kept === null) i = endOfPlain(bytes, i)
      const byte = bytes[i]
      if (byte !== undefined) this.#take(byte)
    }
  }

  found(): FoundId {
    const [text] = this.#ids
    const id = this.#ids.length === 1 && typeof text === 'string' ? readId(text) : null
    const isAnswer = this.#keys.has('result') || this.#keys.has('error')
    if (id !== null && this.#keys.has('method')) return { id, kind: 'request' }
    return { id, kind: id !== null && isAnswer ? 'response' : 'other' }
  }

  #take(byte: number): void {
    if (this.#inString) {
      this.#keep(byte)
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#endString()
      return
    }
    switch (byte) {
      case QUOTE:
        this.#inString = true
        if (this.#beforeKey) this.#kept = []
        this.#keep(byte)
        return
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        this.#depth += 1
        this.#level ??= byte === OPEN_OBJECT ? 1 : 2
        this.#keep(byte)
        if (this.#depth === this.#level) this.#beforeKey = byte === OPEN_OBJECT
        return
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (this.#depth === this.#level) this.#endMember()
        this.#depth -= 1
        this.#beforeKey = false
        return
      case COMMA:
        if (this.#depth !== this.#level) return
        // A list in a batch has no keys.
        this.#beforeKey = this.#endMember()
        return
      case COLON:
        if (this.#depth === this.#level && this.#key === 'id') this.#kept = []
        return
      default:
        this.#keep(byte)
    }
  }

  #endString(): void {
    this.#inString = false
    if (!this.#beforeKey) return
    this.#beforeKey = false
    this.#key = this.#takeKept() ?? ''
    try {
      // A key may contain escapes: "\u0069d".
      this.#key = String(JSON.parse(this.#key))
    } catch {
      this.#key = ''
    }
    if (['id', 'method', 'result', 'error'].includes(this.#key)) this.#keys.add(this.#key)
  }

  /** @returns whether a member ended */
  #endMember(): boolean {
    const key = this.#key
    this.#key = null
    if (key === 'id') this.#ids.push(this.#takeKept())
    return key !== null
  }

  #keep(byte: number): void {
    if (this.#kept === null) return
    this.#kept.push(byte)
    // The text is too long to be the key `id` or an id.
    if (this.#kept.length > KEPT_BYTES_MAX) this.#kept = [0]
  }

  #takeKept(): string | null {
    const kept = this.#kept
    this.#kept = null
    return kept === null ? null : Buffer.from(kept).toString('utf8')
  }
}

/** Returns the index of the next quote or backslash, or the length if there is none. */
function endOfPlain(bytes: Uint8Array, from: number): number {
  let i = from
  while (i < bytes.length && bytes[i] !== QUOTE && bytes[i] !== BACKSLASH) i += 1
  return i
}
