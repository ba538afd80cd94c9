import { expect, test } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { refusalOf } from '../fixtures/policy-text.js'

const file = (within: string): string => `sudoagent_policy: 1
id: p
rules:
  - id: a
    effect: require_approval
    approval:
      within: ${within}
    reason: r
`

test.each([
  ['1s', 1_000],
  ['90s', 90_000],
  ['5m', 300_000],
  ['"30m"', 1_800_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  ['7d', 604_800_000],
  ['168h', 604_800_000],
  ['604800s', 604_800_000],
])('%s is a duration', (text, ms) => {
  expect(parsePolicyFile(file(text), 'p').rules[0]?.withinMs).toBe(ms)
})

test.each([
  ['an integer without a unit', '300', 'POLICY_TYPE'],
  ['true', 'true', 'POLICY_TYPE'],
  ['null', 'null', 'POLICY_TYPE'],
  ['a list', '[5m]', 'POLICY_TYPE'],
  ['an object', '{ m: 5 }', 'POLICY_TYPE'],
  ['a string of digits', '"300"', 'POLICY_VALUE'],
  ['0', '0s', 'POLICY_VALUE'],
  ['a negative number', '-5m', 'POLICY_VALUE'],
  ['a fraction', '1.5h', 'POLICY_VALUE'],
  ['another unit', '500ms', 'POLICY_VALUE'],
  ['weeks', '1w', 'POLICY_VALUE'],
  ['a capital letter', '5M', 'POLICY_VALUE'],
  ['a space', '5 m', 'POLICY_VALUE'],
  ['two units', '1h30m', 'POLICY_VALUE'],
  ['a unit alone', 'm', 'POLICY_VALUE'],
  ['other digits', '٥m', 'POLICY_VALUE'],
  ['a line end', '"5m\\n"', 'POLICY_VALUE'],
  ['an empty string', '""', 'POLICY_VALUE'],
  ['more than 7 days', '8d', 'POLICY_VALUE'],
  ['a second more than 7 days', '604801s', 'POLICY_VALUE'],
  ['very many digits', `${'9'.repeat(400)}d`, 'POLICY_VALUE'],
])('%s is refused at its place', (_, text, code) => {
  const { code: is, line, column, hint, problem } = refusalOf(file(text))
  expect({ is, line, column }).toEqual({ is: code, line: 7, column: 15 })
  expect(hint).toMatch(/`s`, `m`, `h` or `d`/)
  expect(problem.length).toBeLessThan(200)
})
