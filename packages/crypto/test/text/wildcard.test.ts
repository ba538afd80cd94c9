import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { matchesText } from '../../src/text/wildcard.js'

/** Implements the definition literally. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [part, ...rest] = pattern
  if (part === undefined) return text.length === 0
  if (part === '*') return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)))
  return text.length > 0 && (part === '?' || part === text[0]) && naive(rest, text.slice(1))
}

describe('a text against a pattern', () => {
  it('agrees with the definition', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?', '😀'), { maxLength: 8 })
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '*', '😀'), { maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (parts, characters) => {
        expect(matchesText(parts, characters.join(''))).toBe(naive(parts, characters))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*b*c', 'a--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['?', '', false],
  ])('`%s` and `%s`: %s', (pattern, text, matches) => {
    expect(matchesText([...pattern], text)).toBe(matches)
  })

  // The pattern has 4,096 stars before a character that the text does not contain. A backtracking matcher would not
  // return.
  it('does not blow up', () => {
    expect(matchesText([...`${'a*'.repeat(2_048)}b`], 'a'.repeat(4_096))).toBe(false)
  })
})
