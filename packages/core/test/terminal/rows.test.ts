import { expect, test } from 'vitest'
import { breakRows, usableColumns } from '../../src/terminal/rows.js'

test.each<[string, string, readonly string[]]>([
  ['what fits', 'short', ['name  short']],
  ['nothing', '', ['name  ']],
  ['ASCII', 'abcdefghijklmnop', ['name  abcdefghijklm', '      nop']],
  ['wide characters', '退款在限额内退款', ['name  退款在限额内', '      退款']],
  ['a letter with its accents', `abcdefghijk${'e\u0301'.repeat(2)}`, ['name  abcdefghijk', '      e\u0301e\u0301']],
])('breaks %s', (_, text, rows) => expect(breakRows('name  ', text, 20)).toEqual(rows))

test('takes an indent of its own for the further rows', () => {
  expect(breakRows('> ', 'abcdefghijklmnopqrstuv', 20, 4)).toEqual(['> abcdefghijklmnopq', '    rstuv'])
})

test('a label that is wider than the terminal leaves room', () => {
  expect(breakRows('x'.repeat(50), 'abcdefghij', 40)[1]).toBe(`${' '.repeat(50)}ij`)
})

test.each([
  [undefined, 80],
  [0, 40],
  [120, 120],
  [1e9, 200],
])('a terminal of %s columns is written for as %i', (columns, usable) => expect(usableColumns(columns)).toBe(usable))
