// The boundary's table, row by row: budget. Every row that fails closed proves that the function did not run.
import { describe, expect, it, vi } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { ApprovalDenied, AuditLogError, type SudoAgentError } from '../../src/error.js'
import { ALLOW, boundary, expectDenied, rejection } from '../fixtures/boundary.js'

describe('budget', () => {
  it.each([
    ['BUDGET_EXCEEDED_AGENT_RATE', { perAgent: 0 }],
    ['BUDGET_EXCEEDED_TOOL_RATE', { perTool: 0 }],
  ])('%s', async (code, limit) => {
    const b = boundary(ALLOW, { budget: new MemoryBudget({ windowMs: 60_000, ...limit }) })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, code)
    expect((await b.entries())[0]?.budget).toMatchObject({
      agent_id: 'agent',
      action: 'tool',
      cost: 1,
      window_seconds: 60,
      checked: true,
    })
    expect((error as SudoAgentError).denial.retryable).toBe(true)
  })

  it.each(['reserve', 'commit'] as const)('the store fails in %s', async (method) => {
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 5 })
    vi.spyOn(budget, method).mockRejectedValue(new Error('store is down'))
    const b = boundary(ALLOW, { budget })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    expect((error as Error).cause).toBeInstanceOf(Error)
    await expectDenied(b, error, 'BUDGET_EVALUATION_FAILED')
  })

  it.each([undefined, {}, { allowed: 1 }, { allowed: 'true' }, { allowed: false, scope: '__proto__' }])(
    'a store that answers %j has not allowed the call',
    async (verdict) => {
      const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 5 })
      vi.spyOn(budget, 'reserve').mockResolvedValue(verdict as never)
      vi.spyOn(budget, 'commit').mockResolvedValue()
      const b = boundary(ALLOW, { budget })
      await expectDenied(b, await rejection(b.tool()), 'BUDGET_EVALUATION_FAILED')
    },
  )

  it('a store that never answers does not hang the call', async () => {
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 5 })
    vi.spyOn(budget, 'reserve').mockReturnValue(new Promise<never>(() => {}))
    const b = boundary(ALLOW, { budget, timeoutMs: 30 })
    await expectDenied(b, await rejection(b.tool()), 'BUDGET_EVALUATION_FAILED')
  })

  it('gives back what was charged for a call whose decision could not be written', async () => {
    const b = boundary(ALLOW, { budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }) })
    b.ledger.fault = (_, nth) => (nth === 1 ? 'before' : undefined)
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect(await b.tool()).toBe('done')
  })
})
