/**
 * Scans JSON text strictly in a single pass, without building the value. The scan checks that the text follows RFC
 * 8259 and has unique keys and well-formed strings. It also determines whether the text is canonical, and locates
 * the top-level members:
 *
 *     {"a":1,"b":[true]}   canonical, profile rfc8785, members a: [5, 6) and b: [11, 17)
 *     {"n":0.0000001}      canonical, profile python (RFC 8785 writes 1e-7)
 *     {"a": 1}             valid JSON, but not canonical: white space at offset 5
 *     {"a":1,"\u0061":2}   refused: duplicate key; JSON.parse would silently keep the last value
 *
 * Canonical text contains no white space between tokens. Keys are strictly ascending. Strings use the escapes \" \\
 * \b \f \n \r \t, lower-case \u00xx for the other control characters, and no other escapes. Strings and keys are in
 * Unicode normalisation form C. Numbers and key order follow one of two profiles throughout the text:
 *
 * - rfc8785: numbers as ECMAScript serializes them, keys ascending by UTF-16 code unit (RFC 8785 section 3.2)
 * - python: numbers as decimals of any length without exponent or trailing zeros, keys ascending by code point
 *
 * Within one profile, each value has exactly one encoding.
 *
 * The scanner is the hot path of a verifier that checks a million lines in seconds, so it compares code units in
 * place and rarely copies substrings.
 */
import { type CanonicalProfile, CanonicalVerdict, jsonInvalid } from './canonical-verdict.js'
import { scanNumber } from './number.js'
import { ObjectKeys } from './object-keys.js'
import { JsonStringScanner } from './string.js'

/** The result of one scan. Offsets count UTF-16 code units. */
export interface ScannedJson {
  /** Whether the text follows at least one of the two profiles. */
  readonly canonical: boolean
  /** The profile of the text: `rfc8785` if the text follows both profiles, null if it follows neither. */
  readonly profile: CanonicalProfile | null
  /** The first violation of the canonical form, with its offset; null if the text is canonical. */
  readonly reason: string | null
  /** The value span of each top-level member, by decoded key. Empty if the text is not an object. */
  readonly members: ReadonlyMap<string, readonly [start: number, end: number]>
}

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const LOWER_F = 0x66
const LOWER_N = 0x6e
const LOWER_T = 0x74
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Scans one JSON text. Each method reads one element at an offset and returns the offset after the element. */
export class JsonScanner {
  readonly #members = new Map<string, readonly [start: number, end: number]>()
  readonly #verdict = new CanonicalVerdict()
  readonly #strings: JsonStringScanner
  readonly #text: string
  readonly #maxDepth: number
  #depth = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
    this.#strings = new JsonStringScanner(text, this.#verdict)
  }

  /** @throws CryptoError `JSON_INVALID` */
  scan(): ScannedJson {
    const end = this.#scanSpace(this.#scanValue(this.#scanSpace(0)))
    if (end !== this.#text.length) throw jsonInvalid('expected the end of the text', end)
    const { profile, reason } = this.#verdict
    return { canonical: profile !== null, profile, reason, members: this.#members }
  }

  #scanValue(at: number): number {
    switch (this.#text.charCodeAt(at)) {
      case QUOTE:
        return this.#strings.scan(at)
      case OPEN_OBJECT:
        return this.#scanObject(at)
      case OPEN_ARRAY:
        return this.#scanArray(at)
      case LOWER_T:
        return this.#scanLiteral('true', at)
      case LOWER_F:
        return this.#scanLiteral('false', at)
      case LOWER_N:
        return this.#scanLiteral('null', at)
      case MINUS:
        return scanNumber(this.#text, at, this.#verdict)
      default:
        if (!isDigit(this.#text.charCodeAt(at))) throw jsonInvalid('expected a value', at)
        return scanNumber(this.#text, at, this.#verdict)
    }
  }

  #scanObject(at: number): number {
    const text = this.#text
    const outermost = this.#depth === 0
    this.#enter(at)
    let i = this.#scanSpace(at + 1)
    if (text.charCodeAt(i) === CLOSE_OBJECT) return this.#leave(i)
    const keys = new ObjectKeys(text, this.#strings, this.#verdict)
    for (;;) {
      if (text.charCodeAt(i) !== QUOTE) throw jsonInvalid('expected a key', i)
      const keyStart = i + 1
      const keyEnd = this.#strings.scan(i) - 1
      const escaped = this.#strings.escaped
      keys.add(keyStart, keyEnd)
      i = this.#scanSpace(keyEnd + 1)
      if (text.charCodeAt(i) !== COLON) throw jsonInvalid('expected `:`', i)
      const valueStart = this.#scanSpace(i + 1)
      i = this.#scanValue(valueStart)
      if (outermost) {
        const key = escaped ? this.#strings.decode(keyStart, keyEnd) : text.slice(keyStart, keyEnd)
        this.#members.set(key, [valueStart, i])
      }
      if (text.charCodeAt(i) !== COMMA) i = this.#scanSpace(i)
      const unit = text.charCodeAt(i)
      if (unit === CLOSE_OBJECT) return this.#leave(i)
      if (unit !== COMMA) throw jsonInvalid('expected `,` or `}`', i)
      i = this.#scanSpace(i + 1)
    }
  }

  #scanArray(at: number): number {
    const text = this.#text
    this.#enter(at)
    let i = this.#scanSpace(at + 1)
    if (text.charCodeAt(i) === CLOSE_ARRAY) return this.#leave(i)
    for (;;) {
      i = this.#scanSpace(this.#scanValue(i))
      const unit = text.charCodeAt(i)
      if (unit === CLOSE_ARRAY) return this.#leave(i)
      if (unit !== COMMA) throw jsonInvalid('expected `,` or `]`', i)
      i = this.#scanSpace(i + 1)
    }
  }

  #enter(at: number): void {
    if (++this.#depth > this.#maxDepth) throw jsonInvalid(`nested deeper than ${this.#maxDepth} levels`, at)
  }

  #leave(at: number): number {
    this.#depth--
    return at + 1
  }

  #scanLiteral(word: string, at: number): number {
    if (!this.#text.startsWith(word, at)) throw jsonInvalid('expected a value', at)
    return at + word.length
  }

  #scanSpace(at: number): number {
    // Handles the common case first: canonical text has no white space, and this method runs before and after every
    // token.
    if (this.#text.charCodeAt(at) > SPACE) return at
    let i = at
    while (isSpace(this.#text.charCodeAt(i))) i++
    if (i > at) this.#verdict.flaw('white space', at)
    return i
  }
}

const isSpace = (unit: number): boolean =>
  unit === SPACE || unit === LINE_FEED || unit === CARRIAGE_RETURN || unit === TAB

const isDigit = (unit: number): boolean => unit >= ZERO && unit <= NINE
