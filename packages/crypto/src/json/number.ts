import { type CanonicalVerdict, jsonInvalid } from './canonical-verdict.js'

/**
 * The maximum length of a number in characters. A double needs at most 25 characters, and Python itself refuses
 * integers of more than 4,300 digits. A longer number would only slow down verifiers.
 */
const NUMBER_LENGTH_MAX = 4096

/** A double represents any integer of up to this length exactly, so ECMAScript serializes the integer unchanged. */
const EXACT_INTEGER_LENGTH_MAX = 15

const PLUS = 0x2b
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const UPPER_E = 0x45
const LOWER_E = 0x65

/**
 * Reads the number (RFC 8259 section 6) at an offset and returns the offset after the number.
 *
 *     1.5, -7      canonical in both profiles
 *     1e-7         only in rfc8785: the shortest text that ECMAScript reads as the same double
 *     0.0000001    only in python: a decimal without exponent, to any precision
 *     1.50, -0     in neither
 *
 * @throws CryptoError `JSON_INVALID` if there is no number at the offset, or if the number is longer than 4,096
 *   characters
 */
export function scanNumber(text: string, at: number, verdict: CanonicalVerdict): number {
  const negative = text.charCodeAt(at) === MINUS
  const first = negative ? at + 1 : at
  const zero = text.charCodeAt(first) === ZERO
  const wholeEnd = zero ? first + 1 : digitsEnd(text, first)
  const fixedEnd = text.charCodeAt(wholeEnd) === DOT ? digitsEnd(text, wholeEnd + 1) : wholeEnd
  const end = exponentEnd(text, fixedEnd)
  if (end - at > NUMBER_LENGTH_MAX) throw jsonInvalid(`number longer than ${NUMBER_LENGTH_MAX} characters`, at)
  if (end > wholeEnd || end - at > EXACT_INTEGER_LENGTH_MAX) {
    const trailingZero = fixedEnd > wholeEnd && text.charCodeAt(fixedEnd - 1) === ZERO
    checkToken(text.slice(at, end), end === fixedEnd && !trailingZero, at, verdict)
  } else if (negative && zero) {
    verdict.flaw('number -0', at)
  }
  return end
}

function checkToken(token: string, fitsPython: boolean, at: number, verdict: CanonicalVerdict): void {
  const fitsRfc8785 = String(Number(token)) === token
  if (!fitsRfc8785 && !fitsPython) verdict.flaw('number not in canonical form', at)
  else if (!fitsRfc8785) verdict.notRfc8785('number not in RFC 8785 form', at)
  else if (!fitsPython) verdict.notPython('number with an exponent', at)
}

function exponentEnd(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  if (unit !== LOWER_E && unit !== UPPER_E) return at
  const sign = text.charCodeAt(at + 1)
  return digitsEnd(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1)
}

/** Returns the end of the digits at an offset. At least one digit is required. */
function digitsEnd(text: string, at: number): number {
  let i = at
  // After the end of the text, charCodeAt returns NaN, which is not a digit.
  for (let unit = text.charCodeAt(i); unit >= ZERO && unit <= NINE; unit = text.charCodeAt(i)) i++
  if (i === at) throw jsonInvalid('expected a digit', at)
  return i
}
