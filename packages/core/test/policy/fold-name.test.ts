import { expect, it } from 'vitest'
import { foldName } from '../../src/policy/fold-name.js'

it.each([
  ['path', 'PATH'],
  ['path', '\uff50\uff41\uff54\uff48'],
  ['k', '\u212a'],
  ['straße', 'STRASSE'],
  ['file', '\ufb01le'],
  ['list', 'li\u017ft'],
  ['\u03c3', '\u03c2'],
  ['id', '\u0130d'],
  ['caf\u00e9', 'CAFE\u0301'],
])('%s and %s are one name', (one, other) => {
  expect(foldName(one)).toBe(foldName(other))
})

it.each([
  ['path', 'paths'],
  ['path_1', 'path1'],
  ['\u0430', 'a'],
  ['', ' '],
])('%s and %s are two', (one, other) => {
  expect(foldName(one)).not.toBe(foldName(other))
})
