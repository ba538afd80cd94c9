import { expect, test } from 'vitest'
import { CanonicalVerdict } from '../../src/json/canonical-verdict.js'
import { ObjectKeys } from '../../src/json/object-keys.js'
import { JsonStringScanner } from '../../src/json/string.js'
import { codeOf } from '../fixtures/errors.js'

/** Adds consecutive keys, given as JSON strings. @returns the result of the order check */
function add(...keys: readonly string[]): { profile: string | null; reason: string | null } {
  const text = keys.join('')
  const verdict = new CanonicalVerdict()
  const strings = new JsonStringScanner(text, verdict)
  const objectKeys = new ObjectKeys(text, strings, verdict)
  let at = 0
  for (const _ of keys) {
    const end = strings.scan(at)
    objectKeys.add(at + 1, end - 1)
    at = end
  }
  return { profile: verdict.profile, reason: verdict.reason }
}

test('keys that ascend are canonical', () => {
  expect(add().profile).toBe('rfc8785')
  expect(add('""', '"a"', '"aa"', '"b"').profile).toBe('rfc8785')
  expect(add('"\\n"', '"\\""', '"a"').profile).toBe('rfc8785')
})

test('keys that do not are noted where the first one stands', () => {
  expect(add('"b"', '"a"', '"0"').reason).toBe('key out of order at offset 3')
  expect(add('"a"', '"\\n"').reason).toBe('key out of order at offset 3')
})

test('the two orders are told apart', () => {
  expect(add('"\u{1d4b3}"', '"\ufb01"').profile).toBe('rfc8785')
  expect(add('"\ufb01"', '"\u{1d4b3}"').profile).toBe('python')
  expect(add('"a"', '"\ufb01"', '"\u{1d4b3}"', '"\u{1d4b4}"').profile).toBe('python')
  expect(add('"\ufb01"', '"\u{1d4b3}"', '"\uffff"').profile).toBeNull()
})

test.each([
  [['"a"', '"a"']],
  [['"a"', '"b"', '"a"']],
  [['"b"', '"a"', '"c"', '"b"']],
  [['"c"', '"b"', '"a"', '"b"']],
  [['"a"', '"\\u0061"']],
  [['"\\u0061"', '"0"', '"a"']],
  [['"\ufb01"', '"\u{1d4b3}"', '"\ufb01"']],
  [['"\ufb01"', '"\u{1d4b3}"', '"\\ud835\\udcb3"']],
  [['""', '""']],
])('a duplicate is refused: %j', (keys) => {
  expect(codeOf(() => add(...keys))).toBe('JSON_INVALID')
})
