import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/json/canonical-text.js'
import { encodeJcs } from '../../src/json/encode.js'

describe('the canonical text', () => {
  it.each([
    ['{"b": 1.50, "a": 1e2}', '{"a":100,"b":1.5}'],
    ['[-0, 0e9, 9007199254740991, 1e23, 123456789012345680000]', '[0,0,9007199254740991,1e+23,123456789012345680000]'],
    ['"e\u0301 \\u00e9"', '"e\u0301 \u00e9"'],
    ['"9007199254740993 \\\\"', '"9007199254740993 \\\\"'],
  ])('of %s', (text, canonical) => {
    expect(canonicalText(text)).toBe(canonical)
  })

  it.each([
    ['text that is not JSON', '{a:1}'],
    ['a duplicate name', '{"a":1,"a":1}'],
    ['a lone surrogate', '"\\ud800"'],
    ['an integer that no double has', '{"n":[9007199254740993]}'],
    ['a fraction that no double has', '0.1000000000000000055'],
    ['a number beyond the doubles', '1e400'],
    ['a number that becomes zero', '1e-400'],
    ['too deep nesting', '['.repeat(129) + ']'.repeat(129)],
  ])('does not exist for %s', (_, text) => {
    expect(canonicalText(text)).toBeNull()
  })

  it('is that of the value, for the JSON text of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(canonicalText(JSON.stringify(value, null, 1))).toBe(encodeJcs(value))
      }),
    )
  })
})
