/**
 * Converts JSON text to its canonical text (RFC 8785), if it has one.
 *
 * RFC 8785 numbers are doubles. Text with a number that no double has, such as 9007199254740993, would be converted to
 * the text of another number, so it does not have a canonical text.
 *
 *     canonicalText('{"b":1.50,"a":1e2}')       // '{"a":100,"b":1.5}'
 *     canonicalText('{"n":9007199254740993}')   // null
 *     canonicalText('{"a":1,"a":2}')            // null
 */
import { CryptoError } from '../error.js'
import { encodeJcs } from './encode.js'
import { parseJson } from './scan.js'

const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c

/** A double represents any integer of up to this length exactly. */
const EXACT_INTEGER_LENGTH_MAX = 15

/**
 * @returns null if the text is not strict JSON (`parseJson`), has a number that a double does not represent, or has
 *   more values than `encodeJcs` accepts
 */
export function canonicalText(text: string): string | null {
  try {
    const value = parseJson(text)
    return hasDoubles(text) ? encodeJcs(value) : null
  } catch (error) {
    if (error instanceof CryptoError) return null
    throw error
  }
}

/** Whether all numbers in this valid JSON text are doubles: the shortest text of the double has the same value. */
function hasDoubles(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) at = stringEnd(text, at)
    else if (unit === MINUS || (unit >= ZERO && unit <= NINE)) {
      NUMBER.lastIndex = at
      const [token = ''] = NUMBER.exec(text) ?? []
      if (!isDouble(token)) return false
      at += token.length
    } else at += 1
  }
  return true
}

/** Returns the index after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1
    if ((end - first) % 2 === 0) return end + 1
  }
}

/** In valid JSON, any other character ends a number. */
const NUMBER = /[-+.0-9eE]+/y

function isDouble(token: string): boolean {
  if (token.length <= EXACT_INTEGER_LENGTH_MAX && /^-?[0-9]+$/.test(token)) return true
  const shortest = String(Number(token))
  return shortest === token || (Number.isFinite(Number(token)) && decimalOf(token) === decimalOf(shortest))
}

/** The value of a JSON number in one form: sign, digits without leading or trailing zeros, and the power of ten. */
export function decimalOf(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const significant = digits.replace(/0+$/, '')
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}
