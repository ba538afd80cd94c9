import { describe, expect, test } from 'vitest'
import { CanonicalVerdict } from '../../src/json/canonical-verdict.js'
import { scanNumber } from '../../src/json/number.js'
import { codeOf } from '../fixtures/errors.js'

function scan(text: string, at = 0): { end: number; profile: string | null } {
  const verdict = new CanonicalVerdict()
  const end = scanNumber(text, at, verdict)
  return { end, profile: verdict.profile }
}

test.each([
  ['0', 'rfc8785'],
  ['-1', 'rfc8785'],
  ['123456789012345', 'rfc8785'],
  ['-12345678901234', 'rfc8785'],
  ['9007199254740992', 'rfc8785'],
  ['9007199254740993', 'python'],
  ['-9007199254740993', 'python'],
  ['0.1', 'rfc8785'],
  ['-0.000001', 'rfc8785'],
  ['0.0000001', 'python'],
  ['1e-7', 'rfc8785'],
  ['1.5e-7', 'rfc8785'],
  ['1e+21', 'rfc8785'],
  ['1e21', null],
  ['1E+21', null],
  ['1e5', null],
  ['0e0', null],
  ['1e400', null],
  ['1.0', null],
  ['1.10', null],
  ['-0', null],
  ['-0.0', null],
  ['-0e1', null],
  ['0.10000000000000000000001', 'python'],
  [`${'9'.repeat(400)}`, 'python'],
])('`%s` is %s', (text, profile) => {
  expect(scan(text)).toEqual({ end: text.length, profile })
})

test('reads from an offset to the end of the number', () => {
  expect(scan('[1.5,2]', 1)).toEqual({ end: 4, profile: 'rfc8785' })
  expect(scan('01')).toEqual({ end: 1, profile: 'rfc8785' })
  expect(scan('1.5.2').end).toBe(3)
  expect(scan('1e5e5').end).toBe(3)
})

describe('refuses', () => {
  test.each(['', '-', '-a', '+1', '.5', '1.', '1.e5', '1e', '1e+', '1e-x', 'x', '\u0661'])('`%s`', (text) => {
    expect(codeOf(() => scan(text))).toBe('JSON_INVALID')
  })

  test.each(['1'.repeat(4097), `-${'1'.repeat(4096)}`, `0.${'1'.repeat(4095)}`, `1e${'0'.repeat(4095)}`])(
    'more than 4,096 characters (%#)',
    (text) => {
      expect(text.length).toBe(4097)
      expect(codeOf(() => scan(text))).toBe('JSON_INVALID')
      expect(scan(text.slice(0, -1)).end).toBe(4096)
    },
  )
})
