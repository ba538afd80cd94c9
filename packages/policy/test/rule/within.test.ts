// Tests rules that set the time for an approval: from the file to the question in the ledger.
import { SudoEngine } from '@sudoagent/core'
import { select } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { RulePolicy } from '../../src/rule/rule-policy.js'
import { refusalOf } from '../fixtures/policy-text.js'

const file = (approval: string, effect = 'require_approval'): string =>
  `sudoagent_policy: 1\nid: p\nrules:\n  - { id: a, tool: refund, effect: ${effect}, ${approval}reason: r }\n`
const policyOf = (text: string): RulePolicy => new RulePolicy(parsePolicyFile(text, 'p.yaml'))
const CALL = { action: 'refund', args: [], kwargs: {} }

describe('a rule with `approval`', () => {
  it('gives the time in its result; a rule without it does not', () => {
    const result = { decision: 'require_approval', reason: 'r (rule a)', reasonCode: 'POLICY_RULE:a', ruleId: 'a' }
    expect(policyOf(file('approval: { within: 2d }, ')).evaluate(CALL)).toEqual({
      ...result,
      approval: { within: 172_800_000 },
    })
    expect(policyOf(file('')).evaluate(CALL)).toEqual(result)
  })

  it.each([
    ['2d', 172_800_000],
    ['2m', 120_000],
  ])('sets the deadline of the question: %s', async (text, ms) => {
    const ledger = new MemoryLedger()
    const policy = policyOf(file(`approval: { within: ${text} }, `))
    const engine = new SudoEngine({ policy, agentId: 'a', ledger, approver: { approve: () => true } })
    expect(await engine.execute(() => 'done', [], { action: 'refund' })).toBe('done')
    const given: number[] = []
    for await (const { entry } of select(ledger.reader())) {
      const { checkpoint, recorded_at: at } = entry as { checkpoint?: Record<string, string>; recorded_at?: string }
      if (checkpoint?.kind === 'asked') given.push(Date.parse(`${checkpoint.expires_at}`) - Date.parse(`${at}`))
    }
    expect(given).toEqual([ms])
  })

  it('has a hash of its own for each time, whatever the unit', () => {
    const hashes = ['', '1m', '60s', '2m'].map(
      (text) => policyOf(file(text === '' ? '' : `approval: { within: ${text} }, `)).policyHash,
    )
    expect(hashes[1]).toBe(hashes[2])
    expect(new Set(hashes).size).toBe(3)
  })

  it.each([
    ['a rule that allows', file('approval: { within: 5m }, ', 'allow'), 'POLICY_VALUE', 43, /`effect: allow`/],
    ['a rule that denies', file('approval: { within: 5m }, ', 'deny'), 'POLICY_VALUE', 42, /`effect: deny`/],
    ['no time', file('approval: {}, '), 'POLICY_KEY_MISSING', 64, /no `within`/],
    ['another key', file('approval: { witin: 5m }, '), 'POLICY_KEY_UNKNOWN', 66, /`witin`/],
    ['a duration instead of an object', file('approval: 5m, '), 'POLICY_TYPE', 64, /must be an object/],
  ])('is refused at its place: %s', (_, text, code, column, says) => {
    const { code: is, line, column: at, problem } = refusalOf(text)
    expect({ is, line, at }).toEqual({ is: code, line: 4, at: column })
    expect(problem).toMatch(says)
  })
})
