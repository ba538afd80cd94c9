import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTimestamp, isTimestamp, timestampMs } from '../../src/entry/timestamp.js'

describe('formatTimestamp', () => {
  it('writes UTC with microseconds', () => {
    expect(formatTimestamp(new Date(0))).toBe('1970-01-01T00:00:00.000000Z')
    expect(formatTimestamp(new Date(Date.UTC(2026, 10, 22, 20, 18, 29, 260)))).toBe('2026-11-22T20:18:29.260000Z')
  })

  it.each([new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)])('throws for %s', (date) =>
    expect(() => formatTimestamp(date)).toThrow(RangeError),
  )

  it('writes what is read back, in an order that is the order in time', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(date, date, (a, b) => {
        expect(isTimestamp(formatTimestamp(a))).toBe(true)
        expect(timestampMs(formatTimestamp(a))).toBe(a.getTime())
        expect(formatTimestamp(a) < formatTimestamp(b)).toBe(a < b)
      }),
    )
  })
})
