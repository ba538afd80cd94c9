import { describe, expect, test } from 'vitest'
import { JsonScanner } from '../../src/json/scanner.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'
import { processorTime } from '../fixtures/processor-time.js'

const scan = (text: string) => new JsonScanner(text, 128).scan()

describe('the examples at the head of the file', () => {
  test('are as they say', () => {
    expect(scan('{"a":1,"b":[true]}')).toEqual({
      canonical: true,
      profile: 'rfc8785',
      reason: null,
      members: new Map([
        ['a', [5, 6]],
        ['b', [11, 17]],
      ]),
    })
    expect(scan('{"n":0.0000001}').profile).toBe('python')
    expect(scan('{"a": 1}').reason).toBe('white space at offset 5')
    expect(codeOf(() => scan('{"a":1,"\\u0061":2}'))).toBe('JSON_INVALID')
  })
})

describe('members', () => {
  test('are those of the outermost object only', () => {
    expect([...scan('{"a":{"b":1},"c":[{"d":2}]}').members]).toEqual([
      ['a', [5, 12]],
      ['c', [17, 26]],
    ])
  })

  test.each(['[{"a":1}]', '"a"', '1', 'null', '{}', '[]'])('are none in %s', (text) => {
    expect(scan(text).members.size).toBe(0)
  })

  test('leave out the white space around a value', () => {
    const text = ' { "a" : [ 1 ] , "b" :\n"x"\t} '
    const spans = [...scan(text).members].map(([key, [start, end]]) => [key, text.slice(start, end)])
    expect(spans).toEqual([
      ['a', '[ 1 ]'],
      ['b', '"x"'],
    ])
  })

  test('have decoded keys, and offsets in UTF-16 code units', () => {
    const text = '{"\\u0061\\n":"\u{1f602}","\u{1f602}":2,"__proto__":3}'
    const { members } = scan(text)
    expect([...members.keys()]).toEqual(['a\n', '\u{1f602}', '__proto__'])
    const [start, end] = members.get('\u{1f602}') ?? [0, 0]
    expect(text.slice(start, end)).toBe('2')
  })
})

test('an error says what was expected and where, and never repeats the text', () => {
  const message = (text: string): string => cryptoErrorOf(() => scan(text)).message
  expect(message('{"secret":tru}')).toBe('expected a value at offset 10')
  expect(message('{"a":1')).toBe('expected `,` or `}` at offset 6')
  expect(message('[1 2]')).toBe('expected `,` or `]` at offset 3')
  expect(message('{"a"=1}')).toBe('expected `:` at offset 4')
  expect(message('{secret:1}')).toBe('expected a key at offset 1')
  expect(message('1 secret')).toBe('expected the end of the text at offset 2')
  expect(message('')).toBe('expected a value at offset 0')
  expect(message('{"a":1,"a":2}')).toBe('duplicate key at offset 7')
})

describe('a long hostile text is scanned in one pass', () => {
  const LENGTH = 1_000_000
  const members = (key: (i: number) => string): string =>
    `{${Array.from({ length: LENGTH / 10 }, (_, i) => `"${key(i)}":1`).join(',')}}`

  test.each([
    ['escapes', () => `"${'\\"'.repeat(LENGTH / 2)}"`],
    ['strings that are not plain', () => `[${'"\\n\u4e2d",'.repeat(LENGTH / 6)}1]`],
    ['quotes far before the next special character', () => `["\\n",${'"a",'.repeat(LENGTH / 4)}"\\n"]`],
    ['keys that descend', () => members((i) => String(LENGTH - i).padStart(7, '0'))],
    ['escaped keys', () => members((i) => `\\u0030${i}`)],
    ['deep objects out of order', () => `[${'{"b":1,"a":[{"b":1,"a":[1]}]},'.repeat(LENGTH / 30)}1]`],
    ['white space', () => `[${' '.repeat(LENGTH)}]`],
    ['numbers', () => `[${'1.5e300,'.repeat(LENGTH / 8)}1]`],
  ])('%s', (_, make) => {
    const text = make()
    const took = processorTime()
    scan(text)
    // A linear scan takes about 50 ms. A quadratic scan would take minutes.
    expect(took()).toBeLessThan(5_000)
  })

  test.each([
    ['brackets', '['.repeat(LENGTH)],
    ['braces', '{"a":'.repeat(LENGTH)],
    ['a number', '1'.repeat(LENGTH)],
    ['an open string', `"${'a'.repeat(LENGTH)}`],
    ['open strings', '["a'.repeat(LENGTH)],
  ])('%s without end are refused', (_, text) => {
    expect(codeOf(() => scan(text))).toBe('JSON_INVALID')
  })
})
