import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDecimal } from '../../src/bytes/decimal.js'

test('reads what String writes', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (n) => {
      expect(parseDecimal(String(n))).toBe(n)
    }),
  )
  expect(parseDecimal('0')).toBe(0)
  expect(parseDecimal('9007199254740991')).toBe(2 ** 53 - 1)
})

test.each([
  '',
  ' ',
  '00',
  '01',
  '007',
  '-0',
  '-1',
  '+1',
  '1.0',
  '1e3',
  '0x10',
  '1_000',
  '1,000',
  ' 1',
  '1 ',
  '1\n',
  '\u0661',
  '\uff11',
  '9007199254740992',
  '9007199254740993',
  '9999999999999999',
  '10000000000000000',
  '18446744073709551615',
  '18446744073709551616',
  'NaN',
  'Infinity',
  '1'.repeat(40),
])('`%s` is null', (text) => {
  expect(parseDecimal(text)).toBeNull()
})
