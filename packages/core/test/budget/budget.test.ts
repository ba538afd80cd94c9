import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addSaturating,
  applicableLimits,
  BUDGET_WINDOW_MS_MAX,
  type BudgetLimits,
  bookingTimeMs,
  inWindow,
  judge,
  parseLimits,
  requireCharge,
} from '../../src/budget/budget.js'

const CHARGE = { requestId: 'r1', agentId: 'bot', action: 'refund', cost: 1 }

describe('parseLimits', () => {
  test('takes numbers, or numbers by name', () => {
    expect(parseLimits({ windowMs: 1_000, perAgent: 0 })).toEqual({
      windowMs: 1_000,
      key: null,
      perAgent: 0,
      perTool: null,
    })
    const checked = parseLimits({ windowMs: BUDGET_WINDOW_MS_MAX, perTool: { refund: 5 }, key: 'support' })
    expect(checked).toMatchObject({ key: 'support', perAgent: null, perTool: new Map([['refund', 5]]) })
  })

  test.each([
    ['windowMs', { perAgent: 1 }],
    ['windowMs', { windowMs: 0, perAgent: 1 }],
    ['windowMs', { windowMs: 1.5, perAgent: 1 }],
    ['windowMs', { windowMs: BUDGET_WINDOW_MS_MAX + 1, perAgent: 1 }],
    ['windowMs', { window: 1_000, perAgent: 1 }],
    ['perAgent', { windowMs: 1, perAgent: -1 }],
    ['perAgent', { windowMs: 1, perAgent: '5' }],
    ['perAgent', { windowMs: 1, perAgent: null }],
    ['perAgent', { windowMs: 1, perAgent: Number.POSITIVE_INFINITY }],
    ['perAgent', { windowMs: 1 }],
    ['perAgent', { windowMs: 1, agent: 5 }],
    ['perTool', { windowMs: 1, perTool: {} }],
    ['perTool', { windowMs: 1, perTool: [5] }],
    ['perTool', { windowMs: 1, perTools: 5 }],
    ['perTool.refund', { windowMs: 1, perTool: { refund: 1.5 } }],
    ['key', { windowMs: 1, perTool: 1, key: '' }],
    ['key', { windowMs: 1, perTool: 1, key: 5 }],
  ])('names `%s` when it is wrong: %j', (option, limits) => {
    const parse = () => parseLimits(limits as BudgetLimits)
    expect(parse).toThrow(TypeError)
    expect(parse).toThrow(new RegExp(`\`${option}\``))
  })

  test('is not fooled by names that mean something to JavaScript, nor by later changes', () => {
    const perTool = JSON.parse('{"__proto__":3,"refund":5}')
    const limits = parseLimits({ windowMs: 1, perTool })
    perTool.refund = 1_000
    const of = (action: string) => applicableLimits(limits, { ...CHARGE, action }).map(({ limit }) => limit)
    expect([of('refund'), of('__proto__'), of('constructor'), of('toString')]).toEqual([[5], [3], [], []])
  })
})

test('requireCharge refuses what is no charge', () => {
  expect(requireCharge(CHARGE)).toEqual(CHARGE)
  const wrong = [
    { requestId: '' },
    { requestId: 'x'.repeat(129) },
    { agentId: '\ud800' },
    { action: 5 },
    { cost: -1 },
    { cost: 0.5 },
    { cost: 2 ** 53 },
    { cost: '1' },
    { cost: Number.NaN },
    { cots: 1 },
  ]
  for (const over of wrong) expect(() => requireCharge({ ...CHARGE, ...over } as never)).toThrow(TypeError)
})

describe('judge', () => {
  const limits = applicableLimits(parseLimits({ windowMs: 1, perAgent: 10, perTool: 5 }), CHARGE)
  const judged = (cost: number, agent: number, tool: number) =>
    judge(cost, limits, ({ scope }) => (scope === 'agent' ? agent : tool))

  test('up to the limit, and not beyond', () => {
    expect(judged(1, 9, 4)).toEqual({ allowed: true })
    expect(judged(1, 10, 0)).toEqual({ allowed: false, scope: 'agent', limit: 10, used: 10, moreAtMs: null })
    expect(judged(1, 0, 5)).toEqual({ allowed: false, scope: 'tool', limit: 5, used: 5, moreAtMs: null })
    expect(judged(2, 9, 5)).toMatchObject({ scope: 'agent' })
    expect(judged(5, 0, 0)).toEqual({ allowed: true })
    expect(judged(6, 0, 0)).toMatchObject({ scope: 'tool' })
  })

  test('what costs nothing is never refused', () => {
    expect(judged(0, 10, 5)).toEqual({ allowed: true })
    expect(judged(0, 99, 99)).toEqual({ allowed: true })
  })

  test('is exact up to the largest integers', () => {
    const max = Number.MAX_SAFE_INTEGER
    const [limit] = applicableLimits(parseLimits({ windowMs: 1, perAgent: max }), CHARGE)
    const fits = (cost: number, used: number) => judge(cost, limit === undefined ? [] : [limit], () => used).allowed
    expect([fits(max, 0), fits(1, max - 1), fits(1, max), fits(max, 1), fits(max, max)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  test('never lets more through than the limit', () => {
    const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const property = fc.property(number, number, number, (cost, used, limit) => {
      const { allowed } = judge(cost, [{ scope: 'agent', name: 'bot', limit }], () => used)
      expect(allowed).toBe(cost === 0 || BigInt(used) + BigInt(cost) <= BigInt(limit))
    })
    fc.assert(property)
  })
})

test('addSaturating stays among the exact integers', () => {
  expect(addSaturating(2, 3)).toBe(5)
  expect(addSaturating(Number.MAX_SAFE_INTEGER, 1)).toBe(Number.MAX_SAFE_INTEGER)
  expect(addSaturating(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
})

test('inWindow: after now − window, the future included', () => {
  expect([inWindow(0, 999, 1_000), inWindow(0, 1_000, 1_000), inWindow(5_000, 0, 1_000)]).toEqual([true, false, true])
})

test('bookingTimeMs: now, never before the latest, never more than a window ahead', () => {
  expect(bookingTimeMs(100, null, 10)).toBe(100)
  expect(bookingTimeMs(100, 50, 10)).toBe(100)
  expect(bookingTimeMs(100, 105, 10)).toBe(105)
  expect(bookingTimeMs(100, 1e15, 10)).toBe(110)
})
