import type { BudgetLimits } from '@sudoagent/core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { budgetContract, chargeOf } from '../../../core/test/budget/contract.js'
import { at, codeOf } from '../../../core/test/fixtures/approval.js'
import { PostgresBudget } from '../../src/budget/budget.js'
import type { StoreClock } from '../../src/session/store-clock.js'
import { asSuperuser } from '../server/cluster.js'
import { newDatabase } from '../server/shared.js'

/** Uses the caller's clock instead of the server's clock, so that tests can set the time. */
const callersClock: StoreClock = (callersMs) => callersMs

let database: string
beforeAll(async () => {
  database = await newDatabase()
})
beforeEach(async () => {
  await asSuperuser(database, 'TRUNCATE sudoagent.budget, sudoagent.budget_charge')
})

/**
 * Number of opened budgets, from which each budget gets its own key in the tables. Reservations last for an hour, so
 * they do not expire during a test.
 */
let opened = 0
const openFresh = (limits: BudgetLimits): PostgresBudget => {
  opened += 1
  const budget = new PostgresBudget(
    database,
    { ...limits, key: `${limits.key ?? ''}${opened}` },
    { reservationMs: 3_600_000 },
    callersClock,
  )
  return Object.assign(budget, { key: limits.key ?? null })
}

budgetContract('PostgresBudget', openFresh)

const LIMITS = { windowMs: 60_000, perTool: 10 } as const

async function usedOf(budget: PostgresBudget): Promise<number> {
  const verdict = await budget.reserve(chargeOf('probe', { cost: Number.MAX_SAFE_INTEGER }), new Date())
  return verdict.allowed ? -1 : verdict.used
}

describe('hosts', () => {
  test('that fight for the last units get exactly as many as there are', async () => {
    const budgets = await Promise.all(
      [1, 2, 3, 4].map(() => PostgresBudget.open(database, { windowMs: 60_000, perAgent: 25 })),
    )
    const verdicts = await Promise.all(
      budgets.flatMap((budget, host) =>
        Array.from({ length: 50 }, async (_, n) => {
          const { allowed } = await budget.reserve(chargeOf(`${host}-${n}`), new Date())
          if (allowed && n % 2 === 0) await budget.commit(`${host}-${n}`, new Date())
          return allowed
        }),
      ),
    )
    expect(verdicts.filter(Boolean)).toHaveLength(25)
    expect(await usedOf(budgets[0] as PostgresBudget)).toBe(25)
    await Promise.all(budgets.map((budget) => budget.close()))
  })

  test('whose clocks are an hour apart have one window: the database says what time it is', async () => {
    const budget = await PostgresBudget.open(database, LIMITS)
    for (const shiftMs of [3_600_000, -3_600_000, 0, 7_200_000])
      await budget.reserve(chargeOf(`r${shiftMs}`, { cost: 2 }), new Date(Date.now() + shiftMs))
    expect(await usedOf(budget)).toBe(8)
    await budget.close()
  })

  test('with windows of different lengths may share a budget: the shorter forgets nothing that the longer counts', async () => {
    const short = new PostgresBudget(database, { windowMs: 1_000, perTool: 10, key: 'shared' }, {}, callersClock)
    const long = new PostgresBudget(
      database,
      { windowMs: 100_000, perTool: 10, key: 'shared' },
      { reservationMs: 3_600_000 },
      callersClock,
    )
    await long.reserve(chargeOf('r1', { cost: 9 }), at(0))
    await long.commit('r1', at(0))
    expect((await short.reserve(chargeOf('r2', { cost: 1 }), at(50_000))).allowed).toBe(true)
    expect(await long.reserve(chargeOf('r3', { cost: 1 }), at(50_000))).toMatchObject({ allowed: false, used: 10 })
    await Promise.all([short.close(), long.close()])
  })
})

describe('a reservation', () => {
  const openShort = () => new PostgresBudget(database, LIMITS, { reservationMs: 10_000 }, callersClock)

  test('of a process that died is given back after its deadline, once and for all', async () => {
    const budget = openShort()
    await budget.reserve(chargeOf('dead', { cost: 10 }), at(0))
    expect((await budget.reserve(chargeOf('r1'), at(9_999))).allowed).toBe(false)
    expect((await budget.reserve(chargeOf('r1', { cost: 10 }), at(10_000))).allowed).toBe(true)
    // The caller was slow, but still alive. Its commit comes too late, even if the clock goes back.
    for (const ms of [10_001, 5_000]) expect(await codeOf(budget.commit('dead', at(ms)))).toBe('BUDGET_NOT_RESERVED')
    // The call needs a new reservation, which the limits do not allow.
    expect(await budget.reserve(chargeOf('dead', { cost: 10 }), at(5_000))).toMatchObject({ allowed: false, used: 10 })
    await budget.release('r1', at(10_002))
    expect(await budget.reserve(chargeOf('dead', { cost: 10 }), at(10_003))).toEqual({ allowed: true })
    await budget.commit('dead', at(10_004))
    await budget.close()
  })

  test('lasts as long as its call may wait for a person', async () => {
    const budget = openShort()
    await budget.reserve(chargeOf('r1', { cost: 9 }), at(0), 30_000)
    await budget.reserve(chargeOf('r2'), at(0), 5)
    expect((await budget.reserve(chargeOf('r3'), at(9_999))).allowed).toBe(false)
    expect((await budget.reserve(chargeOf('r3', { cost: 2 }), at(29_998))).allowed).toBe(false)
    await budget.commit('r1', at(29_999))
    expect(await codeOf(budget.commit('r2', at(29_999)))).toBe('BUDGET_NOT_RESERVED')
    await expect(budget.reserve(chargeOf('r4'), at(30_000), -1)).rejects.toThrow(TypeError)
    await budget.close()
  })

  test('that is committed in time stays', async () => {
    const budget = openShort()
    await budget.reserve(chargeOf('r1', { cost: 10 }), at(0))
    await budget.commit('r1', at(9_999))
    expect((await budget.reserve(chargeOf('r2'), at(59_999))).allowed).toBe(false)
    await budget.close()
  })

  test('is refused its commit from its deadline on, also when nobody has taken its units', async () => {
    const budget = openShort()
    await budget.reserve(chargeOf('r1'), at(0))
    expect(await codeOf(budget.commit('r1', at(10_000)))).toBe('BUDGET_NOT_RESERVED')
    await budget.close()
  })
})

test('a connection that died is made anew, and what was charged is charged once', async () => {
  const budget = await PostgresBudget.open(database, LIMITS)
  await budget.reserve(chargeOf('r1'), new Date())
  await asSuperuser(
    database,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sudoagent' AND datname = current_database()",
  )
  await budget.reserve(chargeOf('r1'), new Date())
  await budget.commit('r1', new Date())
  expect(await usedOf(budget)).toBe(1)
  await budget.close()
  expect(await codeOf(budget.reserve(chargeOf('r2'), new Date()))).toBe('BUDGET_STORE_FAILED')
})

test('options that are none, and a server that is not there', async () => {
  expect(() => new PostgresBudget(database, LIMITS, { reservationMs: 5 })).toThrow(TypeError)
  expect(await codeOf(PostgresBudget.open('postgres://127.0.0.1:1/x', LIMITS))).toBe('BUDGET_STORE_FAILED')
})
