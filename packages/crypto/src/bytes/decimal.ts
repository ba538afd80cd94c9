const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/

/**
 * Parses a decimal number in ASCII, strictly: digits only, no leading zero, at most 2^53 − 1. Returns null for any
 * other text. Each number has exactly one text.
 */
export function parseDecimal(text: string): number | null {
  if (!DECIMAL.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
