import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BudgetCharge, BudgetLimits, BudgetStore } from '../../src/budget/budget.js'
import { at, codeOf } from '../fixtures/approval.js'

const WINDOW_MS = 60_000

export function chargeOf(requestId: string, over: Partial<BudgetCharge> = {}): BudgetCharge {
  return { requestId, agentId: 'bot', action: 'refund', cost: 1, ...over }
}

/** Tests the contract of a budget. `open` returns a new, empty budget. */
export function budgetContract(name: string, open: (limits: BudgetLimits) => BudgetStore): void {
  const agentBudget = (perAgent: number) => open({ windowMs: WINDOW_MS, perAgent })

  describe(`${name} as a budget`, () => {
    test('says what the ledger writes about it', () => {
      expect(agentBudget(1)).toMatchObject({ windowMs: WINDOW_MS, key: null })
      expect(open({ windowMs: 5, perTool: 1, key: 'support' })).toMatchObject({ windowMs: 5, key: 'support' })
    })

    test('wrong limits are a TypeError', () => {
      expect(() => open({ windowMs: WINDOW_MS, perAgents: 1 } as never)).toThrow(/did you mean `perAgent`/)
    })

    describe('reserve', () => {
      test('takes what fits, agent by agent', async () => {
        const budget = agentBudget(2)
        expect(await budget.reserve(chargeOf('r1'), at(0))).toEqual({ allowed: true })
        expect(await budget.reserve(chargeOf('r2'), at(1))).toEqual({ allowed: true })
        expect(await budget.reserve(chargeOf('r3'), at(2))).toEqual({
          allowed: false,
          scope: 'agent',
          limit: 2,
          used: 2,
          moreAtMs: at(WINDOW_MS).getTime(),
        })
        expect(await budget.reserve(chargeOf('r4', { agentId: 'other' }), at(3))).toEqual({ allowed: true })
      })

      test('a tool’s limit is shared by all agents, and holds for the named tools only', async () => {
        const budget = open({ windowMs: WINDOW_MS, perTool: { refund: 3 } })
        expect(await budget.reserve(chargeOf('r1', { cost: 2 }), at(0))).toEqual({ allowed: true })
        const refused = await budget.reserve(chargeOf('r2', { cost: 2, agentId: 'other' }), at(0))
        expect(refused).toEqual({ allowed: false, scope: 'tool', limit: 3, used: 2, moreAtMs: at(WINDOW_MS).getTime() })
        expect(await budget.reserve(chargeOf('r3', { cost: 1e9, action: 'lookup' }), at(0))).toEqual({ allowed: true })
      })

      test('both limits have to be kept; a refused charge takes nothing', async () => {
        const budget = open({ windowMs: WINDOW_MS, perAgent: 5, perTool: 1 })
        await budget.reserve(chargeOf('r1'), at(0))
        expect(await budget.reserve(chargeOf('r2'), at(0))).toMatchObject({ scope: 'tool' })
        const other = { action: 'lookup', cost: 1 }
        expect(await budget.reserve(chargeOf('r3', other), at(0))).toEqual({ allowed: true })
        expect(await budget.reserve(chargeOf('r4', { action: 'third', cost: 9 }), at(0))).toMatchObject({
          scope: 'agent',
          used: 2,
        })
      })

      test('the same charge again gets the same yes and is not charged twice', async () => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1'), at(0))
        for (let i = 0; i < 5; i++) expect(await budget.reserve(chargeOf('r1'), at(i))).toEqual({ allowed: true })
        await budget.commit('r1', at(6))
        expect(await budget.reserve(chargeOf('r1'), at(7))).toEqual({ allowed: true })
        expect(await budget.reserve(chargeOf('r2'), at(8))).toEqual({ allowed: true })
        expect(await budget.reserve(chargeOf('r3'), at(9))).toMatchObject({ allowed: false, used: 2 })
      })

      test('the same request with another charge is refused', async () => {
        const budget = agentBudget(10)
        await budget.reserve(chargeOf('r1'), at(0))
        for (const over of [{ cost: 2 }, { cost: 0 }, { agentId: 'other' }, { action: 'other' }]) {
          expect(await codeOf(budget.reserve(chargeOf('r1', over), at(1)))).toBe('BUDGET_CONFLICT')
        }
      })

      test('a refusal is not kept', async () => {
        const budget = agentBudget(1)
        await budget.reserve(chargeOf('r1'), at(0))
        expect((await budget.reserve(chargeOf('r2'), at(1))).allowed).toBe(false)
        expect(await codeOf(budget.commit('r2', at(1)))).toBe('BUDGET_NOT_RESERVED')
        expect((await budget.reserve(chargeOf('r2'), at(WINDOW_MS))).allowed).toBe(true)
      })

      test('no budget at all refuses all but what is free', async () => {
        const budget = agentBudget(0)
        expect(await budget.reserve(chargeOf('r1'), at(0))).toEqual({
          allowed: false,
          scope: 'agent',
          limit: 0,
          used: 0,
          moreAtMs: null,
        })
        expect(await budget.reserve(chargeOf('r2', { cost: 0 }), at(0))).toEqual({ allowed: true })
        await budget.commit('r2', at(0))
      })

      test('of a hundred at once, as many as there are units', async () => {
        const budget = agentBudget(7)
        const verdicts = await Promise.all(
          Array.from({ length: 100 }, (_, i) => budget.reserve(chargeOf(`r${i}`), at(0))),
        )
        expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(7)
      })

      test('refuses what is no charge', async () => {
        const budget = agentBudget(1)
        const wrong = [{ cost: -1 }, { cost: 0.5 }, { cost: '1' }, { requestId: '' }, { agentId: null }, { more: 1 }]
        for (const over of wrong) {
          await expect(budget.reserve(chargeOf('r1', over as never), at(0))).rejects.toThrow(TypeError)
        }
        await expect(budget.reserve(chargeOf('r1'), new Date(Number.NaN))).rejects.toThrow(TypeError)
        expect(await budget.reserve(chargeOf('r1'), at(0))).toEqual({ allowed: true })
      })
    })

    describe('the window', () => {
      test('slides: a unit comes back when the window has passed over it, to the millisecond', async () => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1'), at(0))
        await budget.reserve(chargeOf('r2'), at(1_000))
        expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS - 1))).allowed).toBe(false)
        expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS))).allowed).toBe(true)
        expect((await budget.reserve(chargeOf('r4'), at(WINDOW_MS + 999))).allowed).toBe(false)
        expect((await budget.reserve(chargeOf('r4'), at(WINDOW_MS + 1_000))).allowed).toBe(true)
      })

      test('a clock that goes back frees nothing: what was charged later still counts', async () => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1', { cost: 2 }), at(0))
        for (const ms of [-1, -WINDOW_MS, -100 * WINDOW_MS]) {
          expect((await budget.reserve(chargeOf('r2'), at(ms))).allowed).toBe(false)
        }
      })

      test('nor is anything freed when it is put right', async () => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1'), at(0))
        expect((await budget.reserve(chargeOf('r2'), at(-WINDOW_MS))).allowed).toBe(true)
        expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS - 1))).allowed).toBe(false)
        expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS))).allowed).toBe(true)
      })

      test('a charge from a mad future does not lock the budget for ever', async () => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1'), at(1e12))
        expect((await budget.reserve(chargeOf('r2'), at(0))).allowed).toBe(true)
        expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS))).allowed).toBe(false)
        expect((await budget.reserve(chargeOf('r3'), at(2 * WINDOW_MS))).allowed).toBe(true)
      })

      test('no stretch of a window ever holds more than the limit', async () => {
        const charges = fc.array(fc.record({ afterMs: fc.nat(300), cost: fc.nat(4) }), { maxLength: 40 })
        const property = fc.asyncProperty(charges, async (steps) => {
          const budget = open({ windowMs: 1_000, perAgent: 5 })
          const taken: { ms: number; cost: number }[] = []
          let ms = 0
          for (const [i, { afterMs, cost }] of steps.entries()) {
            ms += afterMs
            if ((await budget.reserve(chargeOf(`r${i}`, { cost }), at(ms))).allowed) taken.push({ ms, cost })
          }
          for (const { ms: end } of taken) {
            const inside = taken.filter((charge) => charge.ms <= end && charge.ms > end - 1_000)
            expect(inside.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(5)
          }
        })
        await fc.assert(property, { numRuns: 25 })
      })
    })

    describe('commit', () => {
      test('confirms, and again does nothing', async () => {
        const budget = agentBudget(1)
        await budget.reserve(chargeOf('r1'), at(0))
        await budget.commit('r1', at(1))
        await budget.commit('r1', at(2))
        expect(await budget.reserve(chargeOf('r2'), at(3))).toMatchObject({ allowed: false, used: 1 })
      })

      test('needs a reservation', async () => {
        const budget = agentBudget(1)
        expect(await codeOf(budget.commit('r1', at(0)))).toBe('BUDGET_NOT_RESERVED')
        await budget.reserve(chargeOf('r1'), at(0))
        await budget.release('r1', at(1))
        expect(await codeOf(budget.commit('r1', at(2)))).toBe('BUDGET_NOT_RESERVED')
        await expect(budget.commit('', at(0))).rejects.toThrow(TypeError)
        await expect(budget.commit('r1', new Date(Number.NaN))).rejects.toThrow(TypeError)
      })
    })

    describe('release', () => {
      test.each([false, true])('gives the charge back, once (committed: %s)', async (committed) => {
        const budget = agentBudget(2)
        await budget.reserve(chargeOf('r1'), at(0))
        await budget.reserve(chargeOf('r2'), at(0))
        if (committed) await budget.commit('r1', at(1))
        await budget.release('r1', at(2))
        await budget.release('r1', at(3))
        expect((await budget.reserve(chargeOf('r3'), at(4))).allowed).toBe(true)
        expect((await budget.reserve(chargeOf('r4'), at(5))).allowed).toBe(false)
      })

      test.each([false, true])(
        'the same charge after it is charged anew, under the limits (committed: %s)',
        async (committed) => {
          const budget = agentBudget(2)
          await budget.reserve(chargeOf('r1'), at(0))
          if (committed) await budget.commit('r1', at(0))
          await budget.release('r1', at(1))
          expect(await budget.reserve(chargeOf('r1'), at(2))).toEqual({ allowed: true })
          await budget.commit('r1', at(3))
          await budget.reserve(chargeOf('r2'), at(4))
          await budget.release('r2', at(5))
          await budget.reserve(chargeOf('r3'), at(6))
          expect(await budget.reserve(chargeOf('r2'), at(7))).toMatchObject({ allowed: false, used: 2 })
          for (const over of [{ cost: 2 }, { agentId: 'other' }, { action: 'other' }]) {
            expect(await codeOf(budget.reserve(chargeOf('r2', over), at(8)))).toBe('BUDGET_CONFLICT')
          }
        },
      )

      test('of what was never charged does nothing', async () => {
        const budget = agentBudget(1)
        await budget.release('r1', at(0))
        expect(await budget.reserve(chargeOf('r1'), at(1))).toEqual({ allowed: true })
        await expect(budget.release('', at(0))).rejects.toThrow(TypeError)
        await expect(budget.release('r1', new Date(Number.NaN))).rejects.toThrow(TypeError)
      })
    })

    test('sums stay exact: huge charges are refused, not wrapped around', async () => {
      const max = Number.MAX_SAFE_INTEGER
      const budget = agentBudget(max)
      expect((await budget.reserve(chargeOf('r1', { cost: max - 1 }), at(0))).allowed).toBe(true)
      expect(await budget.reserve(chargeOf('r2', { cost: max }), at(0))).toMatchObject({
        allowed: false,
        used: max - 1,
      })
      expect((await budget.reserve(chargeOf('r3', { cost: 1 }), at(0))).allowed).toBe(true)
      expect(await budget.reserve(chargeOf('r4', { cost: 1 }), at(0))).toMatchObject({ allowed: false, used: max })
    })

    test('a charge that has lapsed is charged anew, and cannot be committed', async () => {
      const budget = agentBudget(1)
      await budget.reserve(chargeOf('r1'), at(0))
      expect((await budget.reserve(chargeOf('r2'), at(WINDOW_MS))).allowed).toBe(true)
      expect(await codeOf(budget.commit('r1', at(WINDOW_MS)))).toBe('BUDGET_NOT_RESERVED')
      expect((await budget.reserve(chargeOf('r1'), at(WINDOW_MS))).allowed).toBe(false)
      expect((await budget.reserve(chargeOf('r1'), at(2 * WINDOW_MS))).allowed).toBe(true)
      await budget.commit('r1', at(2 * WINDOW_MS))
    })

    test('a charge counts from its commit: nothing that waited long makes room for another', async () => {
      const budget = agentBudget(2)
      await budget.reserve(chargeOf('r1'), at(0))
      await budget.reserve(chargeOf('r2'), at(10))
      await budget.commit('r1', at(WINDOW_MS - 1))
      expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS + 5))).allowed).toBe(false)
      expect((await budget.reserve(chargeOf('r3'), at(WINDOW_MS + 10))).allowed).toBe(true)
      expect((await budget.reserve(chargeOf('r4'), at(2 * WINDOW_MS - 2))).allowed).toBe(false)
      expect((await budget.reserve(chargeOf('r4'), at(2 * WINDOW_MS - 1))).allowed).toBe(true)
    })

    test('says when the oldest charge leaves the window', async () => {
      const budget = agentBudget(2)
      await budget.reserve(chargeOf('free', { cost: 0 }), at(1))
      await budget.reserve(chargeOf('gone'), at(2))
      await budget.release('gone', at(3))
      await budget.reserve(chargeOf('other', { agentId: 'other' }), at(4))
      await budget.reserve(chargeOf('r1'), at(500))
      await budget.reserve(chargeOf('r2'), at(700))
      expect(await budget.reserve(chargeOf('r3'), at(800))).toMatchObject({ moreAtMs: at(500 + WINDOW_MS).getTime() })
    })

    test('names that are not listed have the default', async () => {
      const budget = open({ windowMs: WINDOW_MS, perTool: { refund: 2 }, perToolDefault: 1, perAgent: { bot: 9 } })
      expect((await budget.reserve(chargeOf('r1', { action: 'pay' }), at(0))).allowed).toBe(true)
      expect(await budget.reserve(chargeOf('r2', { action: 'pay' }), at(0))).toMatchObject({ scope: 'tool', limit: 1 })
      expect((await budget.reserve(chargeOf('r3', { cost: 2 }), at(0))).allowed).toBe(true)
      expect((await budget.reserve(chargeOf('r4', { action: 'third' }), at(0))).allowed).toBe(true)
    })

    test('names are compared as they are, in Unicode NFC', async () => {
      const budget = agentBudget(1)
      for (const agentId of ['a', 'A', 'a ', '__proto__', 'constructor', 'é', 'a\0b']) {
        expect(await budget.reserve(chargeOf(`r-${agentId}`, { agentId }), at(0))).toEqual({ allowed: true })
      }
      for (const agentId of ['__proto__', 'e\u0301'])
        expect((await budget.reserve(chargeOf(`again-${agentId}`, { agentId }), at(0))).allowed).toBe(false)
    })
  })
}
