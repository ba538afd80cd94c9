import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copySpelling, parseExact, stringifyExact } from '../../src/wire/exact-json.js'
import { jsonText } from '../support/json-text.js'

const again = (text: string): string => stringifyExact(parseExact(text, 100))

describe('the text of a value', () => {
  it.each([
    '{"id":9007199254740993,"f":1.0,"e":1e400,"z":-0}',
    '[12345678901234567890123,{"a":[1E5,1e+5,0.10,-0.0]},"1.0"]',
    '{"__proto__":1.0,"constructor":{"a":1e2}}',
    '{"a\\"1.0":2.0,"\\\\":[3.0],"b":"\\\\\\"4.0"}',
    '{}',
    '[[],{},"",null,true,false]',
    '{"a":1,"b":[2,-3,4.5,1e+21]}',
  ])('%s is what was read', (text) => {
    expect(again(text)).toBe(text)
  })

  it('has the numbers of any JSON as they were written', () => {
    fc.assert(
      fc.property(jsonText, (value) => {
        const text = `[${value}]`
        const read = parseExact(text, 100)
        expect(read).toEqual(JSON.parse(text))
        // If a valid text contains no escapes, only its white space is removed.
        expect(stringifyExact(read)).toBe(text.replace(/\s+/g, ''))
      }),
      { numRuns: 300 },
    )
  })

  it('of equal keys has the last, spelled as that one', () => {
    expect(again('{"a":1.0,"a":2}')).toBe('{"a":2}')
    expect(again('{"a":2,"a":1.0}')).toBe('{"a":1.0}')
  })

  it('has a number that was put in the place of the one that was read', () => {
    const value = parseExact('{"a":1.0,"b":2.0}', 9) as { a: number }
    value.a = 7
    expect(stringifyExact(value)).toBe('{"a":7,"b":2.0}')
  })

  it('is that of a copy where the spelling was copied too', () => {
    const page = parseExact('{"n":1.0,"tools":[{"a":2.0}]}', 9) as object
    expect(stringifyExact({ ...page })).toBe('{"n":1,"tools":[{"a":2.0}]}')
    expect(stringifyExact(copySpelling(page, { ...page }))).toBe('{"n":1.0,"tools":[{"a":2.0}]}')
  })

  it('has no undefined members, bigints as digits, and sorted keys where that is asked for', () => {
    expect(stringifyExact({ b: 2n ** 70n, a: undefined, c: [undefined, 'x'] })).toBe(
      '{"b":1180591620717411303424,"c":[null,"x"]}',
    )
    expect(stringifyExact(parseExact('{"b":1.0,"a":{"d":1,"c":2}}', 9), true)).toBe('{"a":{"c":2,"d":1},"b":1.0}')
  })
})

it('what is deeper than the bound, or no JSON, is not read', () => {
  expect(() => parseExact('[[[1.0]]]', 2)).toThrow(RangeError)
  expect(() => parseExact('[[[1]]]', 2)).toThrow(RangeError)
  expect(() => parseExact('{"a":1.}', 9)).toThrow(SyntaxError)
  expect(() => parseExact('{"[[[[": 1.0}', 2)).not.toThrow()
})
