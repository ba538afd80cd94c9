import { expect, test } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { at, codeOf } from '../fixtures/approval.js'
import { budgetContract, chargeOf } from './contract.js'

budgetContract('MemoryBudget', (limits) => new MemoryBudget(limits))

test('more charges than it can add up are refused, until the window has passed', async () => {
  const budget = new MemoryBudget({ windowMs: 1_000, perTool: { other: 1 } })
  // For a charge with a cost of 0, the budget does not add up the earlier charges, so the loop is fast.
  for (let i = 0; i < 100_000; i++) await budget.reserve(chargeOf(`r${i}`, { cost: 0 }), at(0))
  expect(await codeOf(budget.reserve(chargeOf('one more'), at(999)))).toBe('BUDGET_STORE_FAILED')
  expect(await budget.reserve(chargeOf('one more'), at(1_000))).toEqual({ allowed: true })
})
