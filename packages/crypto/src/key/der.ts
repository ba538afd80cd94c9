/**
 * The subset of DER (ITU-T X.690) that encrypted key files use. An element consists of a tag byte, a length in its
 * shortest form, and the content.
 *
 *     30 06  02 01 03  04 01 ff      a SEQUENCE of the INTEGER 3 and an OCTET STRING of one byte
 *     30 81 80 …                     a SEQUENCE of 128 bytes
 *
 * Parsing is strict: each value has exactly one encoding, and no bytes are skipped.
 */
import { concatBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'

/** The supported DER tags. */
export const DER = { integer: 0x02, octets: 0x04, null: 0x05, oid: 0x06, sequence: 0x30 } as const

type DerTag = (typeof DER)[keyof typeof DER]

/**
 * The maximum content length that two bytes can express. It is five times the maximum size of a key file
 * (`pem.ts`).
 */
const CONTENT_BYTES_MAX = 0xffff

/** JavaScript represents integers of up to six bytes exactly. */
const INTEGER_BYTES_MAX = 6

/** Encodes an element with the given tag and content. */
export function encodeDer(tag: DerTag, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = concatBytes(...content)
  const { length } = bytes
  if (length > CONTENT_BYTES_MAX) throw new RangeError(`an element has at most ${CONTENT_BYTES_MAX} bytes`)
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...head), bytes)
}

/** Encodes a non-negative INTEGER. */
export function encodeDerInteger(value: number): Uint8Array {
  const bytes: number[] = []
  for (let left = value; left > 0; left = Math.floor(left / 0x100)) bytes.unshift(left % 0x100)
  // The first bit is the sign bit.
  if (bytes[0] === undefined || bytes[0] >= 0x80) bytes.unshift(0)
  return encodeDer(DER.integer, Uint8Array.from(bytes))
}

/**
 * Reads DER elements in sequence. Every method throws CryptoError `KEY_INVALID` if the element is missing or is not
 * valid DER.
 */
export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Reports whether the next element has the given tag. */
  isNext(tag: DerTag): boolean {
    return this.#bytes[this.#offset] === tag
  }

  /** Returns the content of the next element, which must have the given tag. */
  read(tag: DerTag): Uint8Array {
    if (!this.isNext(tag)) throw invalid()
    this.#offset += 1
    const length = this.#readLength()
    const end = this.#offset + length
    if (end > this.#bytes.length) throw invalid()
    const content = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return content
  }

  /** Returns a reader for the content of the next element, which must be a SEQUENCE. */
  readSequence(): DerReader {
    return new DerReader(this.read(DER.sequence))
  }

  /**
   * Reads a non-negative INTEGER. Values above 2^48 − 1 become Infinity, which exceeds every limit that callers
   * check.
   */
  readInteger(): number {
    const bytes = this.read(DER.integer)
    const [first, second = 0x80] = bytes
    if (first === undefined || first >= 0x80) throw invalid()
    if (first === 0 && second < 0x80) throw invalid()
    const digits = first === 0 ? bytes.subarray(1) : bytes
    if (digits.length > INTEGER_BYTES_MAX) return Number.POSITIVE_INFINITY
    return digits.reduce((value, byte) => value * 0x100 + byte, 0)
  }

  /** Requires that all bytes have been read. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw invalid()
  }

  #readLength(): number {
    const [first, second = 0, third = 0] = this.#bytes.subarray(this.#offset, this.#offset + 3)
    if (first === undefined) throw invalid()
    if (first < 0x80) return this.#lengthOf(1, first, 0)
    if (first === 0x81) return this.#lengthOf(2, second, 0x80)
    if (first === 0x82) return this.#lengthOf(3, second * 0x100 + third, 0x100)
    throw invalid()
  }

  /** Skips the bytes of a length field and returns the length. The length must be in its shortest form. */
  #lengthOf(bytes: number, length: number, lengthMin: number): number {
    if (length < lengthMin) throw invalid()
    this.#offset += bytes
    return length
  }
}

const invalid = (): CryptoError => new CryptoError('KEY_INVALID', 'the key is not strict DER')
