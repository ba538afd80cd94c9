import { expect, test } from 'vitest'
import { refusalOf } from '../fixtures/policy-text.js'

// The tests of refused YAML features are in vectors/policy/reject.json.

// In an earlier version of the reader, these texts made the library recurse until the stack overflowed and V8 aborted
// the process.
test.each([
  ['brackets', '['.repeat(60_000)],
  ['braces', '{a: '.repeat(30_000)],
  ['list marks', '- '.repeat(60_000)],
  ['key marks', '? '.repeat(60_000)],
  ['anchors', '&a '.repeat(30_000)],
  ['documents', '---\n'.repeat(10_000)],
  ['commas', `[${','.repeat(20_000)}]`],
  ['keys on a line', `a: ${'b: '.repeat(30_000)}`],
  ['keys in an item', `a: [${'b: '.repeat(30_000)}]`],
  ['keys in an item of several lines', `a: [${'b: \n '.repeat(20_000)}]`],
  ['keys behind brackets', `a: [${'[] : '.repeat(20_000)}]`],
  ['keys on indented lines', `a:\n${Array.from({ length: 64 }, (_, n) => `${' '.repeat(n)}a: a: a: a:`).join('\n')}`],
  ['keys', Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join('\n')],
])('a file of nothing but %s is refused, with a place', (_, text) => {
  expect(refusalOf(text).line).not.toBeNull()
})
