const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/

/**
 * Parses a decimal integer strictly: ASCII digits only, no leading zero, at most 2^53 − 1. Returns null for any
 * other string. Each integer has exactly one accepted form.
 */
export function parseDecimal(text: string): number | null {
  if (!DECIMAL.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
