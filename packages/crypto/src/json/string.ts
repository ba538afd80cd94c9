import { type CanonicalVerdict, jsonInvalid } from './canonical-verdict.js'

/**
 * Matches the characters in a string that need a check: backslashes, control characters, and code units from U+0300
 * up. Only those code units can be surrogates or violate normalisation form C.
 */
const SPECIAL = /[\\\u0000-\u001f]|[\u0300-\uffff]/g
const MAYBE_NOT_NFC = 0x300

const QUOTE = 0x22
const SLASH = 0x2f
const NINE = 0x39
const LOWER_A = 0x61
const BACKSLASH = 0x5c
const LOWER_U = 0x75

/** The characters that may follow a backslash in canonical text. */
const ESCAPED = new Set([...'"\\bfnrt'].map((char) => char.charCodeAt(0)))

/** The control characters with a short escape: \b \t \n \f \r. */
const SHORT_FORM = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])

/** The length of `\uxxxx`. */
const ESCAPE_CHARS = 6

const HEX4 = /^[0-9a-fA-F]{4}$/

/**
 * Scans the strings of one JSON text from first to last.
 *
 *     "a\n\u001f"    canonical
 *     "\u000a\/"     valid JSON, but not canonical: the canonical text is "\n/"
 *     "e\u0301"      valid JSON, but not canonical: an unnecessary escape, and the value is not in normalisation form C
 *     "\ud800"       refused: a lone surrogate
 */
export class JsonStringScanner {
  /** Whether the last scanned string contains an escape, so that its raw text differs from its value. */
  escaped = false
  /** The offset of the next special character. If the next quote precedes this offset, that quote ends the string. */
  #nextSpecial = -1

  readonly #text: string
  readonly #verdict: CanonicalVerdict

  constructor(text: string, verdict: CanonicalVerdict) {
    this.#text = text
    this.#verdict = verdict
  }

  /**
   * Scans the string whose opening quote is at the given offset. Returns the offset after the closing quote.
   *
   * @throws CryptoError `JSON_INVALID`
   */
  scan(at: number): number {
    this.escaped = false
    if (this.#nextSpecial <= at) this.#nextSpecial = this.#findSpecial(at)
    const close = this.#text.indexOf('"', at + 1)
    return close !== -1 && close < this.#nextSpecial ? close + 1 : this.#scanUnits(at)
  }

  /** Returns the value of a scanned string. `start` and `end` exclude the quotes. */
  decode(start: number, end: number): string {
    const raw = this.#text.slice(start, end)
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
  }

  #findSpecial(from: number): number {
    SPECIAL.lastIndex = from
    return SPECIAL.test(this.#text) ? SPECIAL.lastIndex - 1 : Number.MAX_SAFE_INTEGER
  }

  #scanUnits(at: number): number {
    const text = this.#text
    let wide = false
    for (let i = at + 1; i < text.length; ) {
      const unit = text.charCodeAt(i)
      if (unit === QUOTE) {
        if (wide) this.#checkNfc(at, i)
        return i + 1
      }
      if (unit < 0x20) throw jsonInvalid('control character in a string', i)
      if (unit >= MAYBE_NOT_NFC) wide = true
      if (unit === BACKSLASH) i = this.#scanEscape(i)
      else i += isSurrogate(unit) ? pairLength(unit, text.charCodeAt(i + 1), i) : 1
    }
    throw jsonInvalid('unterminated string', at)
  }

  /**
   * Checks the decoded value, not the raw text: in the raw text `\n` followed by a combining tilde, normalisation
   * would combine the tilde with the letter n.
   */
  #checkNfc(at: number, close: number): void {
    const value = this.decode(at + 1, close)
    if (value.normalize('NFC') !== value) this.#verdict.flaw('text not in Unicode normalisation form C', at)
  }

  #scanEscape(at: number): number {
    this.escaped = true
    const unit = this.#text.charCodeAt(at + 1)
    if (unit === LOWER_U) return this.#scanUnicodeEscape(at)
    if (unit === SLASH) this.#verdict.flaw('unnecessary escape', at)
    else if (!ESCAPED.has(unit)) throw jsonInvalid('unknown escape', at)
    return at + 2
  }

  #scanUnicodeEscape(at: number): number {
    const unit = this.#hex4(at)
    const lastDigit = this.#text.charCodeAt(at + 5)
    if (unit >= 0x20) this.#verdict.flaw('unnecessary escape', at)
    else if (SHORT_FORM.has(unit)) this.#verdict.flaw('escape that has a shorter form', at)
    else if (lastDigit > NINE && lastDigit < LOWER_A) this.#verdict.flaw('escape in upper case', at)
    if (!isSurrogate(unit)) return at + ESCAPE_CHARS
    const low = this.#text.startsWith('\\u', at + ESCAPE_CHARS) ? this.#hex4(at + ESCAPE_CHARS) : Number.NaN
    return at + ESCAPE_CHARS * pairLength(unit, low, at)
  }

  /** Returns the value of the four hex digits in the escape `\uxxxx` at an offset. */
  #hex4(at: number): number {
    const digits = this.#text.slice(at + 2, at + 6)
    if (!HEX4.test(digits)) throw jsonInvalid('expected four hex digits', at)
    return Number.parseInt(digits, 16)
  }
}

const isSurrogate = (unit: number): boolean => (unit & 0xf800) === 0xd800

/** Returns 2, the length of a surrogate pair. Throws for a lone surrogate. */
function pairLength(high: number, low: number, at: number): 2 {
  if (high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) return 2
  throw jsonInvalid('lone surrogate', at)
}
