import { describe, expect, it } from 'vitest'
import { isTimestamp, timestampMs } from '../../src/entry/timestamp.js'

describe('isTimestamp', () => {
  it.each([
    '2026-11-22T20:18:29.260673Z',
    '1970-01-01T00:00:00.000000Z',
    '2024-02-29T23:59:59.999999Z',
    '9999-12-31T23:59:59.999999Z',
    '0000-01-01T00:00:00.000000Z',
  ])('takes %s', (text) => expect(isTimestamp(text)).toBe(true))

  it.each([
    '2026-02-29T00:00:00.000000Z',
    '2026-04-31T00:00:00.000000Z',
    '2026-13-01T00:00:00.000000Z',
    '2026-00-01T00:00:00.000000Z',
    '2026-01-00T00:00:00.000000Z',
    '2026-01-01T24:00:00.000000Z',
    '2026-01-01T23:60:00.000000Z',
    '2026-01-01T23:59:60.000000Z',
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000000',
    '2026-01-01T00:00:00.000000+00:00',
    '2026-01-01t00:00:00.000000z',
    '2026-01-01 00:00:00.000000Z',
    '2026-01-01T00:00:00.000000Z\n',
    ' 2026-01-01T00:00:00.000000Z',
    '12026-01-01T00:00:00.000000Z',
    '２026-01-01T00:00:00.000000Z',
    '',
    0,
    null,
    undefined,
    new Date(0),
  ])('refuses %s', (value) => expect(isTimestamp(value)).toBe(false))
})

it.each([0, 4, 1900, 2000, 2023, 2024, 2100, 9999])('knows every day of the year %s, and no other', (year) => {
  const two = (n: number): string => String(n).padStart(2, '0')
  for (let month = 0; month <= 13; month += 1) {
    for (let day = 0; day <= 32; day += 1) {
      const date = new Date(Date.UTC(2000, 0, 1))
      date.setUTCFullYear(year, month - 1, day)
      const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
      const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T00:00:00.000000Z`
      expect([text, isTimestamp(text)]).toEqual([text, isReal && date.getUTCFullYear() === year])
    }
  }
})

it('timestampMs cuts microseconds off', () => {
  expect(timestampMs('1970-01-01T00:00:00.000000Z')).toBe(0)
  expect(timestampMs('1970-01-01T00:00:01.234999Z')).toBe(1234)
})
