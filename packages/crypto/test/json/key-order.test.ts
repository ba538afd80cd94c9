import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as order from '../../src/json/key-order.js'
import { anyChar } from '../fixtures/arbitraries.js'

const compare = (a: string, b: string): order.KeyOrder => order.keyOrder(a, 0, a.length, b, 0, b.length)

test.each([
  ['a', 'b', order.ASCENDING],
  ['b', 'a', order.DESCENDING],
  ['', 'a', order.ASCENDING],
  ['a', 'aa', order.ASCENDING],
  ['aa', 'a', order.DESCENDING],
  ['', '', order.EQUAL],
  ['B', 'a', order.ASCENDING],
  ['\ud835\udcb3', '\ufb01', order.ASCENDING_BY_UNIT_ONLY],
  ['\ufb01', '\ud835\udcb3', order.ASCENDING_BY_CODE_POINT_ONLY],
  ['x\ud835\udcb3', 'x\uffff', order.ASCENDING_BY_UNIT_ONLY],
  ['\ud7ff', '\ud800\udc00', order.ASCENDING],
  ['\ud800\udc00', '\ud800\udc01', order.ASCENDING],
  ['\ud801\udc00', '\ud800\udfff', order.DESCENDING],
  ['\ue000', '\uffff', order.ASCENDING],
])('%j and %j: %i', (a, b, expected) => {
  expect(compare(a, b)).toBe(expected)
})

test('compares spans in place', () => {
  expect(order.keyOrder('{"a":1,"b":2}', 2, 3, '{"a":1,"b":2}', 8, 9)).toBe(order.ASCENDING)
})

test('agrees with sorting by code unit and by code point', () => {
  const edge = fc.constantFrom('a', '\ud7ff', '\ue000', '\ufb01', '\uffff', '\u{10000}', '\u{10ffff}')
  const key = fc.string({
    unit: fc.oneof(edge, anyChar),
    maxLength: 4,
  })
  const codePoints = (text: string): string =>
    Array.from(text, (char) => (char.codePointAt(0) ?? 0).toString(16).padStart(6, '0')).join('')
  const expected = (a: string, b: string): order.KeyOrder => {
    if (a === b) return order.EQUAL
    const byCodePoint = codePoints(a) < codePoints(b)
    if (a < b) return byCodePoint ? order.ASCENDING : order.ASCENDING_BY_UNIT_ONLY
    return byCodePoint ? order.ASCENDING_BY_CODE_POINT_ONLY : order.DESCENDING
  }
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(compare(a, b)).toBe(expected(a, b))
    }),
    { numRuns: 3000 },
  )
})
