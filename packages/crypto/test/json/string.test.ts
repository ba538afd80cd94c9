import { describe, expect, test } from 'vitest'
import { CanonicalVerdict } from '../../src/json/canonical-verdict.js'
import { JsonStringScanner } from '../../src/json/string.js'
import { codeOf } from '../fixtures/errors.js'

function scan(text: string, at = 0): { end: number; escaped: boolean; reason: string | null; value: string } {
  const verdict = new CanonicalVerdict()
  const strings = new JsonStringScanner(text, verdict)
  const end = strings.scan(at)
  return { end, escaped: strings.escaped, reason: verdict.reason, value: strings.decode(at + 1, end - 1) }
}

test.each([
  ['""', ''],
  ['"abc"', 'abc'],
  ['"\u007f\u00e9"', '\u007f\u00e9'],
  ['"\u4e2d\u6587"', '\u4e2d\u6587'],
  ['"\u{1f602}"', '\u{1f602}'],
  ['"\\"\\\\\\b\\f\\n\\r\\t"', '"\\\b\f\n\r\t'],
  ['"\\u0000\\u001f"', '\u0000\u001f'],
  ['"\\n\u0303"', '\n\u0303'],
])('%j is canonical', (text, value) => {
  expect(scan(text)).toEqual({ end: text.length, escaped: text.includes('\\'), reason: null, value })
})

test.each([
  ['"\\/"', '/', 'unnecessary escape at offset 1'],
  ['"\\u0041"', 'A', 'unnecessary escape at offset 1'],
  ['"x\\u000a"', '\n', 'escape that has a shorter form at offset 2'],
  ['"\\u001F"', '\u001f', 'escape in upper case at offset 1'],
  ['"\\uD83D\\uDE02"', '\u{1f602}', 'unnecessary escape at offset 1'],
  ['"e\u0301"', 'e\u0301', 'text not in Unicode normalisation form C at offset 0'],
])('%j is not', (text, ending, reason) => {
  const scanned = scan(text)
  expect(scanned.reason).toBe(reason)
  expect(scanned.end).toBe(text.length)
  expect(scanned.value.endsWith(ending)).toBe(true)
})

describe('refuses', () => {
  test.each([
    '"',
    '"abc',
    '"a\n"',
    '"\u0000"',
    '"\u001f"',
    '"\\"',
    '"\\x"',
    '"\\',
    '"\\u"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u 123"',
    '"\ud800"',
    '"\udc00"',
    '"\udc00\udc00"',
    '"\\udc00\\udc00"',
    '"\ud800x"',
    '"\ud83d\\ude02"',
    '"\\ud83d\ude02"',
    '"\\ud83d"',
    '"\\ude02\\ud83d"',
    '"\\ud83d\\u0041"',
    '"\\ud83dude02"',
    '"\ud83d',
  ])('%j', (text) => {
    expect(codeOf(() => scan(text))).toBe('JSON_INVALID')
  })
})

test('reads one string after another, plain or not', () => {
  const text = '"a","b\\n","c","\u4e2d","d","e\u0301","f"'
  const verdict = new CanonicalVerdict()
  const strings = new JsonStringScanner(text, verdict)
  const read: [string, boolean][] = []
  for (let at = 0; at < text.length; ) {
    const end = strings.scan(at)
    read.push([strings.decode(at + 1, end - 1), strings.escaped])
    at = end + 1
  }
  expect(read).toEqual([
    ['a', false],
    ['b\n', true],
    ['c', false],
    ['\u4e2d', false],
    ['d', false],
    ['e\u0301', false],
    ['f', false],
  ])
  expect(verdict.reason).toContain('normalisation')
})
