import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtf8 } from '../../src/bytes/utf8.js'
import { anyText } from '../fixtures/arbitraries.js'
import { codeOf } from '../fixtures/errors.js'

test('gives back every text that was encoded', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text)
    }),
  )
})

test('keeps a byte order mark', () => {
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
})

test.each([
  ['a continuation byte alone', [0x80]],
  ['a cut character', [0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x82]],
  ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['UTF-16', [0xff, 0xfe, 0x61, 0x00]],
])('refuses %s', (_, bytes) => {
  expect(codeOf(() => decodeUtf8(Uint8Array.from(bytes)))).toBe('JSON_INVALID')
})
