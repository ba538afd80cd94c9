import { afterEach, describe, expect, it, vi } from 'vitest'
import { type BudgetLimits, parseLimits } from '../../src/budget/budget.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { watchNames } from '../../src/budget/unlisted-name.js'
import { ALLOW, boundary } from '../fixtures/boundary.js'
import { chargeOf } from './contract.js'

/** Returns the warnings for calls of these tools in sequence. */
function warningsOf(limits: Omit<BudgetLimits, 'windowMs'>, actions: readonly string[]): string[] {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const checked = parseLimits({ windowMs: 1_000, ...limits })
  for (const action of actions) watchNames(checked, chargeOf('r', { action, agentId: action }))
  return warn.mock.calls.map(([message]) => String(message))
}

afterEach(() => void vi.restoreAllMocks())

describe('names in a budget that no call has', () => {
  it('are warned of once for each name that has no limit', () => {
    const warnings = warningsOf({ perTool: { paye: 1, refund: 5 } }, ['refund', 'pay', 'pay', 'lookup'])
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/tool `pay` has no limit.*`paye`.*perToolDefault/)
    expect(warnings[0]).not.toContain('`refund`')
  })

  it.each<[string, Omit<BudgetLimits, 'windowMs'>, string[]]>([
    ['one number for all', { perTool: 1 }, ['pay']],
    ['a default', { perTool: { paye: 1 }, perToolDefault: 3 }, ['pay']],
    ['a default that says: none', { perTool: { paye: 1 }, perToolDefault: null }, ['pay']],
    ['every listed name had a call', { perTool: { pay: 1 } }, ['pay', 'lookup']],
    ['a name in another Unicode spelling', { perTool: { 'cafe\u0301': 1 } }, ['caf\u00e9']],
    ['no limits by name for agents', { perAgent: 1, perTool: { pay: 1 } }, ['pay', 'bot']],
  ])('not with %s', (_, limits, actions) => {
    expect(warningsOf(limits, actions)).toEqual([])
  })

  it.each(['pay', '__proto__', 'constructor', 'files/pay', 'PAYE'])('of agents too, whatever the name: %s', (name) => {
    expect(warningsOf({ perAgent: { paye: 1 } }, [name])).toHaveLength(1)
  })

  it('names from a model make a bounded number of warnings, without control characters', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `\u001b[2J${i}`)
    const warnings = warningsOf({ perTool: { paye: 1 } }, names)
    expect(warnings).toHaveLength(20)
    expect(warnings.join('')).not.toContain('\u001b')
  })

  it('through an engine', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const b = boundary(ALLOW, { budget: new MemoryBudget({ windowMs: 1_000, perTool: { tol: 1 } }) })
    await b.tool()
    await b.tool()
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('`tool`'), { code: 'SUDOAGENT_BUDGET_NAME' })
  })

  it.each([
    { perTool: 1, perToolDefault: 2 },
    { perAgent: 1, perToolDefault: 2 },
    { perTool: { pay: 1 }, perToolDefault: -1 },
    { perAgent: { bot: 1 }, perAgentDefault: '5' },
  ])('a default that makes no sense is a TypeError: %j', (limits) => {
    expect(() => parseLimits({ windowMs: 1, ...limits } as BudgetLimits)).toThrow(TypeError)
  })
})
