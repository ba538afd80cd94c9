import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../src/bytes/base64.js'

// RFC 4648 section 10.
const RFC_4648: readonly [string, string][] = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
]

test.each(RFC_4648)('`%s` is `%s`', (text, base64) => {
  const bytes = new TextEncoder().encode(text)
  expect(encodeBase64(bytes)).toBe(base64)
  expect(decodeBase64(base64)).toEqual(bytes)
})

test('agrees with Buffer and goes there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64'))
      expect(decodeBase64(text)).toEqual(bytes)
    }),
  )
})

describe('decodeBase64 is strict', () => {
  test.each([
    ['no padding', 'Zg'],
    ['half the padding', 'Zg='],
    ['too much padding', 'Zg==='],
    ['padding alone', '===='],
    ['three paddings', 'Z==='],
    ['padding in the middle', 'Zg==Zg=='],
    ['stray bits under two paddings', 'Zh=='],
    ['stray bits under one padding', 'Zm9='],
    ['URL alphabet', '_-8='],
    ['line feed at the end', 'Zg==\n'],
    ['line feed inside', 'Zm9\nv'],
    ['space', 'Zm9 '],
    ['character beyond the table', 'Zm9\u0141'],
    ['control character', 'Zm9\u0000'],
  ])('%s is null', (_, text) => {
    expect(decodeBase64(text)).toBeNull()
  })

  test('takes only what encodeBase64 would have written', () => {
    const char = fc.constantFrom(...'ABcz019+/=-_ \n')
    fc.assert(
      fc.property(fc.string({ unit: char, maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text)
        expect(bytes === null ? null : encodeBase64(bytes)).toBe(bytes === null ? null : text)
        // Conversely, the decoder must accept any text that a round trip through Buffer's lenient decoder leaves
        // unchanged.
        if (Buffer.from(text, 'base64').toString('base64') === text) expect(bytes).not.toBeNull()
      }),
      { numRuns: 2000 },
    )
  })
})
