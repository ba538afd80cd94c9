// Tests budgets for guarded calls. Every test of a refusal also checks that the function did not run.
import { describe, expect, it, vi } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { ApprovalDenied, AuditLogError, type CallDenied } from '../../src/error.js'
import { ALLOW, ASK, boundary, expectDenied, rejection } from '../fixtures/boundary.js'

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
    expect((error as CallDenied).denial.retryable).toBe(true)
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

  it('a verdict that stands on the prototype of all objects allows nothing', async () => {
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 5 })
    vi.spyOn(budget, 'reserve').mockResolvedValue({} as never)
    vi.spyOn(budget, 'commit').mockResolvedValue()
    const b = boundary(ALLOW, { budget })
    Object.defineProperty(Object.prototype, 'allowed', { value: true, configurable: true })
    const error = await rejection(b.tool()).finally(() => Reflect.deleteProperty(Object.prototype, 'allowed'))
    await expectDenied(b, error, 'BUDGET_EVALUATION_FAILED')
  })

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

  it('is asked before a person is: what no budget lets run takes nobody’s time', async () => {
    let asked = 0
    const approver = {
      approve: async () => {
        asked += 1
        return true
      },
    }
    const b = boundary(ASK, { approver, budget: new MemoryBudget({ windowMs: 60_000, perAgent: 3 }) })
    const calls = await Promise.allSettled(Array.from({ length: 200 }, () => b.tool()))
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(asked).toBe(3)
    expect(await b.report()).toMatchObject({ ok: true, decisions: 200, outcomes: 3 })
  })

  it.each([
    ['refuses', () => false],
    ['throws', () => Promise.reject(new Error('no network'))],
  ])('gives the charge back when the person %s, after the denial is on record', async (_, approve) => {
    const order: string[] = []
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 1 })
    const release = budget.release.bind(budget)
    vi.spyOn(budget, 'release').mockImplementation(async (...given) => {
      order.push('release')
      await release(...given)
    })
    const b = boundary(ASK, { approver: { approve }, budget })
    b.ledger.fault = () => void order.push('append')
    await rejection(b.tool())
    expect(order).toEqual(['append', 'release'])
    expect((await b.entries())[0]).toMatchObject({ decision: { effect: 'deny' }, budget: { cost: 1, checked: true } })
    expect(await budget.reserve({ requestId: 'next', agentId: 'agent', action: 'x', cost: 1 }, new Date())).toEqual({
      allowed: true,
    })
  })

  it.each(['before', 'after', 'hang'] as const)(
    'keeps the charge while no denial is on record: the ledger fails %s',
    async (fault) => {
      const b = boundary(ASK, {
        approver: { approve: () => false },
        budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }),
        timeoutMs: 50,
      })
      b.ledger.fault = (_, nth) => (nth === 1 ? fault : undefined)
      expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
      expect(await rejection(b.tool('another'))).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
    },
  )

  it('keeps the charge of an approved call whose decision may be on record', async () => {
    const b = boundary(ASK, {
      approver: { approve: () => true },
      budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }),
    })
    b.ledger.fault = (_, nth) => (nth === 1 ? 'after' : undefined)
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect(await rejection(b.tool('another'))).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
    expect(b.tool.runs()).toBe(0)
  })

  it.each([
    ['its window passed', 61_000],
    ['it is a window later and more', 500_000],
  ])(
    'a reservation that lapsed while somebody was asked is made anew, or the call is denied: %s',
    async (_, waitedMs) => {
      let nowMs = Date.now()
      const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 1 })
      const approver = {
        approve: async () => {
          nowMs += waitedMs
          if (taken)
            await budget.reserve({ requestId: 'other', agentId: 'agent', action: 'x', cost: 1 }, new Date(nowMs))
          return true
        },
      }
      let taken = false
      const b = boundary(ASK, { approver, budget, approvalTtlMs: 3_600_000, clock: () => new Date(nowMs) })
      expect(await b.tool()).toBe('done')
      taken = true
      nowMs += 60_000
      expect(await rejection(b.tool())).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
      expect(b.tool.runs()).toBe(1)
    },
  )

  it('tells a store how long a person may take', async () => {
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 9 })
    const reserve = vi.spyOn(budget, 'reserve')
    const b = boundary(ASK, { approver: { approve: () => true }, budget, approvalTtlMs: 5_000, timeoutMs: 1_000 })
    await b.tool()
    expect(reserve.mock.calls.map((given: unknown[]) => given[2])).toEqual([6_000, 0])
  })

  it('says what the call costs, what is left, and when more comes', async () => {
    const now = new Date('2026-01-02T03:04:05Z')
    const options = { budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1_000 }), clock: () => now }
    const b = boundary(ALLOW, options)
    const cost = async (budgetCost: number) => b.engine.execute(async () => 'ran', [], { action: 'tool', budgetCost })
    await cost(936)
    expect(await rejection(cost(100))).toMatchObject({
      reason:
        "the agent's budget has 64 of 1000 left, and the call costs 100; more is available from 2026-01-02T03:05:05.000Z",
    })
    expect(await rejection(cost(1_001))).toMatchObject({
      reason: "the agent's budget is 1000 in total, and the call costs 1001",
    })
    expect(await cost(64)).toBe('ran')
  })

  it.each([
    { allowed: false, scope: 'agent' },
    { allowed: false, scope: 'agent', limit: '5', used: 1 },
    { allowed: false, scope: 'agent', limit: Number.NaN, used: 0, moreAtMs: 1e99 },
  ])('a refusal without usable numbers is a refusal: %j', async (verdict) => {
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 5 })
    vi.spyOn(budget, 'reserve').mockResolvedValue(verdict as never)
    const b = boundary(ALLOW, { budget })
    const error = await rejection(b.tool())
    await expectDenied(b, error, 'BUDGET_EXCEEDED_AGENT_RATE')
    expect(error).toMatchObject({ reason: "the agent's budget is used up" })
  })
})
