import { expect, test } from 'vitest'
import { BudgetStoreError, parseLimits } from '../../src/budget/budget.js'
import { type BookedCharge, type ChargeState, type ChargeTable, TableBudget } from '../../src/budget/table-budget.js'
import { at, codeOf } from '../fixtures/approval.js'
import { chargeOf } from './contract.js'

/** Stores charges. A commit can fail before or after the charge is stored. */
class FaultyTable implements ChargeTable {
  booked = new Map<string, BookedCharge>()
  fault: 'none' | 'lost' | 'kept' = 'none'
  touched = 0

  write<T>(work: () => T): T {
    this.touched++
    const before = new Map(this.booked)
    const result = work()
    if (this.fault === 'none') return result
    if (this.fault === 'lost') this.booked = before
    throw new BudgetStoreError('BUDGET_STORE_FAILED', 'disk full')
  }
  find(requestId: string): BookedCharge | undefined {
    return this.booked.get(requestId)
  }
  put(booked: BookedCharge): void {
    this.booked.set(booked.charge.requestId, booked)
  }
  setState(requestId: string, state: ChargeState): void {
    const booked = this.booked.get(requestId)
    if (booked !== undefined) this.booked.set(requestId, { ...booked, state })
  }
  used(): number {
    return [...this.booked.values()].filter(({ state }) => state !== 'released').length
  }
  oldestMs(): number | null {
    return null
  }
  latestMs(): number | null {
    return null
  }
  prune(): void {}
}

class Budget extends TableBudget {
  constructor(readonly table: FaultyTable) {
    super(parseLimits({ windowMs: 1_000, perAgent: 1 }), table)
  }
}

test.each(['lost', 'kept'] as const)(
  'a reserve whose commit fails (%s) is refused, and the budget is never exceeded',
  async (fault) => {
    const budget = new Budget(new FaultyTable())
    budget.table.fault = fault
    expect(await codeOf(budget.reserve(chargeOf('r1'), at(0)))).toBe('BUDGET_STORE_FAILED')
    budget.table.fault = 'none'
    expect((await budget.reserve(chargeOf('r2'), at(0))).allowed).toBe(fault === 'lost')
    await budget.release('r1', at(0))
    expect((await budget.reserve(chargeOf('r3'), at(0))).allowed).toBe(fault === 'kept')
  },
)

test('wrong arguments never reach the table', async () => {
  const budget = new Budget(new FaultyTable())
  const never = new Date(Number.NaN)
  const calls = [
    budget.reserve(chargeOf(''), at(0)),
    budget.reserve(chargeOf('r1'), never),
    budget.commit('', at(0)),
    budget.commit('r1', never),
    budget.release('', at(0)),
    budget.release('r1', never),
  ]
  for (const call of calls) await expect(call).rejects.toThrow(TypeError)
  expect(budget.table.touched).toBe(0)
})
