// Ledger timestamps: UTC with microseconds and `Z`, for example `2026-11-22T20:18:29.260673Z`. The width is fixed,
// so string order equals time order.
const FORM = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/
const TIMESTAMP_CHARS = 27

/** The number of days in each month of a common year. Index 1 is January. */
const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reports whether `value` is a ledger timestamp with a valid date. */
export function isTimestamp(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== TIMESTAMP_CHARS || !FORM.test(value)) return false
  const day = Number(value.slice(8, 10))
  if (day <= 28) return true
  const month = Number(value.slice(5, 7))
  const isLeapDay = month === 2 && day === 29 && isLeapYear(Number(value.slice(0, 4)))
  return isLeapDay || day <= (DAYS[month] ?? 0)
}

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/**
 * Converts a ledger timestamp to Unix time in milliseconds; microseconds are truncated. The timestamp must be valid
 * (`isTimestamp`).
 */
export function timestampMs(timestamp: string): number {
  return Date.parse(`${timestamp.slice(0, 23)}Z`)
}

/** The milliseconds from one ledger timestamp to another, with microseconds as a fraction. Both must be valid. */
export function elapsedMs(from: string, to: string): number {
  const microseconds = Number(to.slice(23, 26)) - Number(from.slice(23, 26))
  return timestampMs(to) - timestampMs(from) + microseconds / 1000
}
