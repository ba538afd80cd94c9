import type { JsonValue } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { RulePolicy } from '../../src/rule/rule-policy.js'

const TESTS = [
  '{ equals: a }',
  '{ one_of: [1, b] }',
  '{ prefix: a }',
  '{ gt: 5 }',
  '{ present: true }',
  '{ absent: true }',
  "{ root: /w, glob: 'a/**' }",
]

function explain(test: string, kwargs: Record<string, JsonValue>, path = 'x') {
  const rule = `{ id: one, args: { "${path}": ${test} }, effect: deny, reason: r }`
  return new RulePolicy(parsePolicyFile(`sudoagent_policy: 1\nid: p\nrules: [${rule}]\n`, 'p')).explain({
    action: 't',
    args: [],
    kwargs,
  })
}

describe('why a rule does not match', () => {
  it('never shows a value: reasons go into ledgers and to models', () => {
    const marked = fc.oneof(
      fc.string().map((text) => `VALUE${text}`),
      fc.constant(-987_654_321),
      fc.array(fc.constant('VALUE'), { maxLength: 3 }),
      fc.constant({ VALUE: 'VALUE' }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...TESTS), fc.constantFrom('x', 'x.*', 'x.y'), marked, (test, path, value) => {
        const { reason, steps } = explain(test, { x: value }, path)
        expect(JSON.stringify([reason, steps])).not.toMatch(/VALUE|987/)
      }),
    )
  })

  test.each([
    ['{ gt: 5 }', 3, '`x` is out of range'],
    ['{ gt: 5 }', '9', '`x` is a string, not a number'],
    ['{ equals: a }', true, '`x` is true or false, not a string'],
    ["{ root: /w, glob: 'a/**' }", '%2e%2e', '`x` hides a traversal'],
  ])('%s and %j', (test, value, because) => {
    expect(explain(test, { x: value }).steps[0]?.because).toBe(because)
  })
})
