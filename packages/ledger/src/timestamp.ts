// Timestamps of the ledger: UTC, microseconds, `Z`: `2026-11-22T20:18:29.260673Z`. Fixed width, so that text order is time order.
const FORM = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/

/** Whether `value` is a ledger timestamp that names a real date. */
export function isTimestamp(value: unknown): value is string {
  // Date.parse rolls 31 February over to March: compare the day it came out at.
  if (typeof value !== 'string' || !FORM.test(value)) return false
  const date = new Date(`${value.slice(0, 23)}Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(value.slice(8, 10))
}

/**
 * A ledger timestamp for a moment. Node's clock has milliseconds; the last three digits are zero.
 *
 * @throws RangeError for an invalid date or a year outside 0–9999
 * @example formatTimestamp(new Date(0)) // '1970-01-01T00:00:00.000000Z'
 */
export function formatTimestamp(date: Date): string {
  const iso = date.toISOString()
  if (iso.length !== 24) throw new RangeError(`year of ${iso} has no four digits`)
  return `${iso.slice(0, 23)}000Z`
}

/** Milliseconds since 1970 of a ledger timestamp, microseconds cut off. Only for values that `isTimestamp` accepted. */
export function timestampMs(timestamp: string): number {
  return Date.parse(`${timestamp.slice(0, 23)}Z`)
}
