const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/

/**
 * The number that ASCII decimal stands for, strictly: digits only, no leading zero, at most 2^53 − 1. Null for anything
 * else. One number has one text.
 */
export function parseDecimal(text: string): number | null {
  if (!DECIMAL.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
