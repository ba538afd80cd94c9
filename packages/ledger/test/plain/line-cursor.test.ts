import { scanJson } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LineCursor } from '../../src/plain/line-cursor.js'

const accepts = (text: string): boolean => {
  const cursor = new LineCursor(text)
  return cursor.value() && cursor.at === text.length
}

it.each(['null', 'true', '0', '-1', '123456789012345', '"a b"', '[]', '{}', '[1,[2,{}]]', '{"a":1,"b":{"c":[null]}}'])(
  'takes %s',
  (text) => {
    expect(accepts(text)).toBe(true)
    expect(scanJson(text).canonical).toBe(true)
  },
)

it.each([
  ['-0', 'another form'],
  ['01', 'no number'],
  ['1.5', 'left to the strict scanner'],
  ['1e5', 'left to the strict scanner'],
  ['1234567890123456', 'left to the strict scanner'],
  ['"a\\n"', 'left to the strict scanner'],
  ['{"b":1,"a":2}', 'keys out of order'],
  ['{"a":1,"a":2}', 'a key twice'],
  ['[1, 2]', 'white space'],
  ['[1,]', 'no value'],
  ['{"a"}', 'no value'],
  ['{a:1}', 'no string'],
  ['nul', 'no word'],
  ['"open', 'no end'],
  ['['.repeat(40) + ']'.repeat(40), 'left to the strict scanner'],
])('does not take %s: %s', (text) => expect(accepts(text)).toBe(false))

it('takes nothing that is not canonical in both profiles', () => {
  const ascii = fc.oneof(
    fc.json({ maxDepth: 3, stringUnit: 'grapheme-ascii' }),
    fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', 'a', '1', '0', '-', 'null', ' ', '\\') }),
  )
  fc.assert(
    fc.property(ascii, (text) => {
      fc.pre(!/[\u0000-\u001f\u007f-\uffff]/.test(text))
      if (accepts(text)) expect(scanJson(text)).toMatchObject({ canonical: true, profile: 'rfc8785' })
    }),
    { numRuns: 3_000 },
  )
})

it('moves forward and back, and knows the next backslash from wherever it is', () => {
  const cursor = new LineCursor('"a\\"b" "c" "d\\"')
  cursor.moveTo(7)
  expect([cursor.word('"'), cursor.string(9), cursor.taken()]).toEqual([true, true, 'c'])
  cursor.moveTo(1)
  expect(cursor.string(9)).toBe(false)
  cursor.moveTo(8)
  expect([cursor.name(0), cursor.name(9)]).toEqual([false, true])
})
