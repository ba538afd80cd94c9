import type { JsonValue } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLong } from '../../../../test/tier.js'
import { parsePolicyFile } from '../../src/file/parse.js'
import { RulePolicy } from '../../src/rule/rule-policy.js'
import { readVectors } from '../fixtures/vectors.js'

interface Decide {
  readonly name: string
  readonly policy: string
  readonly action: string
  readonly args: Record<string, JsonValue>
  readonly positional?: readonly JsonValue[]
  readonly decision: string
  readonly rule: string | null
  readonly reason_code: string
}

describe('vectors/policy/decide.json', () => {
  it.each(readVectors<Decide>('policy/decide.json'))('$name', (vector) => {
    const { policy, action, args: kwargs, positional: args = [], decision, rule, reason_code: reasonCode } = vector
    const made = new RulePolicy(parsePolicyFile(policy, 'p.yaml'))
    const explained = made.explain({ action, args, kwargs })
    const { decision: is, rule: by, reasonCode: code } = explained
    expect({ is, by, code }, JSON.stringify(explained.steps)).toEqual({ is: decision, by: rule, code: reasonCode })
    expect(made.evaluate({ action, args, kwargs })).toEqual({
      decision,
      reason: explained.reason,
      reasonCode,
      ...(rule === null ? {} : { ruleId: rule }),
    })
  })
})

// A second evaluator for a subset of rules and calls, written from the format description.
interface PlainRule {
  readonly id: string
  readonly effect: 'allow' | 'deny' | 'require_approval'
  readonly reason: string
  readonly tool?: string
  readonly server?: string
  readonly args?: Record<string, Record<string, JsonValue>>
}

function reference(rules: readonly PlainRule[], action: string, kwargs: Record<string, JsonValue>): string {
  const [first, second] = action.split('/')
  const [server, tool] = second === undefined ? [null, first] : [first, second]
  for (const rule of rules) {
    const answers: (boolean | null)[] = [
      rule.server === undefined || (server !== null && (rule.server === '*' || rule.server === server)),
      rule.tool === undefined || rule.tool === '*' || rule.tool === tool,
    ]
    for (const [name, tests] of Object.entries(rule.args ?? {})) {
      for (const [test, wanted] of Object.entries(tests)) {
        if (test === 'absent') answers.push(!(name in kwargs))
        else if (!(name in kwargs)) answers.push(false)
        else answers.push(holds(test, wanted, kwargs[name] as JsonValue))
      }
    }
    const answer = answers.includes(false) ? false : answers.includes(null) ? null : true
    if (answer === true) return `${rule.effect} ${rule.id}`
    if (answer === null && rule.effect !== 'allow') return `deny ${rule.id}`
  }
  return 'deny null'
}

/** Returns whether a test matches, or null if this cannot be decided. */
function holds(test: string, wanted: JsonValue, value: JsonValue): boolean | null {
  if (test === 'present') return true
  if (value === '[redacted]') return null
  if (test === 'equals')
    return typeof wanted === typeof value && (wanted === null) === (value === null) ? wanted === value : null
  if (test === 'prefix') return typeof value === 'string' ? value.startsWith(String(wanted)) : null
  if (typeof value !== 'number') return null
  return test === 'gt' ? value > Number(wanted) : value <= Number(wanted)
}

describe('random rules and calls', () => {
  const tests = fc.oneof(
    fc.record({ equals: fc.constantFrom<JsonValue>('a', 'b', 1, 2, true, null) }),
    fc.record({ prefix: fc.constantFrom('a', 'ab') }),
    fc.record({ gt: fc.constantFrom(0, 1), lte: fc.constantFrom(2, 3) }, { requiredKeys: ['gt'] }),
    fc.record({ present: fc.constant(true) }),
    fc.record({ absent: fc.constant(true) }),
  )
  const rule = fc.record(
    {
      effect: fc.constantFrom('allow', 'deny', 'require_approval'),
      reason: fc.constant('r'),
      tool: fc.constantFrom('t', 'u', '*'),
      server: fc.constantFrom('s', '*'),
      args: fc.dictionary(fc.constantFrom('x', 'y'), tests, { minKeys: 1 }),
    },
    { requiredKeys: ['effect', 'reason'] },
  )
  const numbered = fc.array(rule, { maxLength: 6 }).map((rules) => {
    const all = rules.findIndex(
      ({ tool = '*', server, args }) => tool === '*' && server === undefined && args === undefined,
    )
    // The list ends at the first rule that matches every call, because later rules would be refused.
    return rules.slice(0, all < 0 ? undefined : all + 1).map((each, i) => ({ id: `r${i}`, ...each })) as PlainRule[]
  })
  const value = fc.constantFrom<JsonValue>('a', 'ab', 'b', 0, 1, 2, 3, true, null, '[redacted]')

  it('a rule that is refused as out of reach decides no call', () => {
    let refused = 0
    fc.assert(
      fc.property(
        numbered,
        fc.constantFrom('t', 'u', 's/t', 's/u', 'z/t'),
        fc.dictionary(fc.constantFrom('x', 'y', 'z'), value, { noNullPrototype: true }),
        (rules, action, kwargs) => {
          const reachable = reachableOf(rules)
          refused += rules.length - reachable.length
          expect(reference(reachable, action, kwargs)).toBe(reference(rules, action, kwargs))
        },
      ),
      { numRuns: isLong ? 1_000 : 300 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  it('are decided as by a second evaluator', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(
        numbered,
        fc.constantFrom('t', 'u', 's/t', 's/u', 'z/t'),
        fc.dictionary(fc.constantFrom('x', 'y', 'z'), value, { noNullPrototype: true }),
        (some, action, kwargs) => {
          const rules = reachableOf(some)
          const text = JSON.stringify({ sudoagent_policy: 1, id: 'p', rules })
          const {
            decision,
            rule: by,
            reasonCode,
          } = new RulePolicy(parsePolicyFile(text, 'p.json')).explain({ action, args: [], kwargs })
          expect(`${decision} ${by}`).toBe(reference(rules, action, kwargs))
          seen.add(`${decision} ${reasonCode.split(':')[0]}`)
        },
      ),
      { numRuns: isLong ? 1_000 : 300 },
    )
    // The property is meaningful only if every combination occurs.
    expect(seen.size).toBe(5)
  })
})

/** Removes rules that would be refused because an earlier rule always decides. */
function reachableOf(rules: readonly PlainRule[]): PlainRule[] {
  const kept: PlainRule[] = []
  for (const rule of rules) {
    try {
      parsePolicyFile(JSON.stringify({ sudoagent_policy: 1, id: 'p', rules: [...kept, rule] }), 'p.json')
      kept.push(rule)
    } catch (error) {
      expect(error).toMatchObject({ code: 'POLICY_RULE_IDLE' })
    }
  }
  return kept
}
