import { writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BudgetLimits } from '../../src/budget/budget.js'
import { SqliteBudget } from '../../src/budget/sqlite.js'
import { at, codeOf, START_MS } from '../fixtures/approval.js'
import { Child, race } from '../fixtures/child.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { budgetContract, chargeOf } from './contract.js'

budgetContract('SqliteBudget', (limits) => SqliteBudget.open(temporaryPath('budget.sqlite'), limits))

const LIMITS = { windowMs: 60_000, perTool: { refund: 100 } } as const

function open(path: string, limits: BudgetLimits = LIMITS, busyTimeoutMs = 5_000): SqliteBudget {
  const budget = SqliteBudget.open(path, limits, { busyTimeoutMs })
  onTestFinished(() => budget.close())
  return budget
}

function openError(path: string): unknown {
  try {
    SqliteBudget.open(path, LIMITS)
    return 'none'
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}

async function usedOf(budget: SqliteBudget, nowMs: number): Promise<number> {
  const verdict = await budget.reserve(chargeOf('probe', { cost: Number.MAX_SAFE_INTEGER }), at(nowMs))
  return verdict.allowed ? -1 : verdict.used
}

describe('several processes', () => {
  test('four that open a fresh file at once and fight for its units get exactly as many as there are', async () => {
    const path = temporaryPath('budget.sqlite')
    const limits = { windowMs: 60_000, perTool: 300 }
    const inputs = ['a', 'b', 'c', 'd'].map((name) => ({
      path,
      limits,
      nowMs: START_MS,
      name,
      count: 150,
      commit: name < 'c',
      // On a busy machine, four processes that write without pause may wait a long time for each other. This test
      // checks only the count, so they may wait for a minute.
      busyTimeoutMs: 60_000,
    }))
    const allowed = (await race('budget-child.mjs', inputs)) as number[]
    expect(allowed.reduce((sum, n) => sum + n, 0)).toBe(300)
    expect(await usedOf(open(path, limits), 0)).toBe(300)
  })

  test('one killed between reserve and commit has spent its unit until the window has passed', async () => {
    const path = temporaryPath('budget.sqlite')
    const child = new Child('budget-child.mjs', {
      path,
      limits: LIMITS,
      nowMs: START_MS,
      name: 'a',
      count: 3,
      hold: true,
    })
    expect(await child.line()).toBe('ready')
    child.go()
    expect(await child.result()).toBe(3)
    await child.killed()
    const budget = open(path)
    expect(await usedOf(budget, 59_999)).toBe(3)
    expect(await usedOf(budget, 60_000)).toBe(0)
  })
})

describe('one file', () => {
  test('survives a reopen', async () => {
    const path = temporaryPath('budget.sqlite')
    const first = open(path)
    await first.reserve(chargeOf('r1', { cost: 40 }), at(0))
    await first.commit('r1', at(0))
    await first.close()
    expect(await codeOf(first.reserve(chargeOf('r2'), at(0)))).toBe('BUDGET_STORE_FAILED')
    const second = open(path)
    expect(await usedOf(second, 1)).toBe(40)
    expect(await second.reserve(chargeOf('r1', { cost: 40 }), at(1))).toEqual({ allowed: true })
    expect(await usedOf(second, 1)).toBe(40)
  })

  test('holds budgets of several names that do not see each other', async () => {
    const path = temporaryPath('budget.sqlite')
    const [plain, named] = [open(path), open(path, { ...LIMITS, key: 'support' })]
    await plain.reserve(chargeOf('r1', { cost: 60 }), at(0))
    await named.reserve(chargeOf('r1', { cost: 70 }), at(0))
    expect([await usedOf(plain, 0), await usedOf(named, 0)]).toEqual([60, 70])
    await plain.release('r1', at(0))
    expect([await usedOf(plain, 0), await usedOf(named, 0)]).toEqual([0, 70])
  })

  test('a short window does not forget what a longer one on the same budget still counts', async () => {
    const path = temporaryPath('budget.sqlite')
    const long = open(path, { ...LIMITS, windowMs: 60_000 })
    const short = open(path, { ...LIMITS, windowMs: 1_000 })
    await long.reserve(chargeOf('r1', { cost: 60 }), at(0))
    for (let i = 0; i < 5; i++) expect(await usedOf(short, 1_000 + i)).toBe(0)
    expect(await usedOf(long, 2_000)).toBe(60)
  })

  test('forgets old charges in bounded batches', async () => {
    const path = temporaryPath('budget.sqlite')
    const budget = open(path, { ...LIMITS, windowMs: 1_000 })
    for (let i = 0; i < 250; i++) await budget.reserve(chargeOf(`r${i}`, { cost: 0 }), at(0))
    const db = new Database(path, { readonly: true })
    const counts: unknown[] = []
    for (let i = 0; i < 4; i++) {
      await budget.reserve(chargeOf(`new${i}`), at(1_000))
      counts.push(db.prepare('SELECT count(*) FROM sudoagent_budget_charge').pluck().get())
    }
    db.close()
    expect(counts).toEqual([151, 52, 3, 4])
  })

  test('a lock that is held too long is a coded error, and nothing was charged', async () => {
    const path = temporaryPath('budget.sqlite')
    const budget = open(path, LIMITS, 50)
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')
    expect(await codeOf(budget.reserve(chargeOf('r1'), at(0)))).toBe('BUDGET_STORE_FAILED')
    holder.close()
    expect(await usedOf(budget, 0)).toBe(0)
  })

  test('sums beyond the exact integers saturate', async () => {
    const path = temporaryPath('budget.sqlite')
    const open_ = open(path, { ...LIMITS, perTool: { other: 1 } })
    for (let i = 0; i < 5; i++) await open_.reserve(chargeOf(`r${i}`, { cost: Number.MAX_SAFE_INTEGER }), at(0))
    expect(await usedOf(open(path), 0)).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('a file that others have written', () => {
  test.each([
    ['a negative cost', `cost = -1000`],
    ['a cost that is text', `cost = 'free'`],
    ['a cost that is a fraction', `cost = 0.5`],
  ])('%s is a coded error', async (_name, change) => {
    const path = temporaryPath('budget.sqlite')
    const budget = open(path)
    await budget.reserve(chargeOf('r1'), at(0))
    const hostile = new Database(path)
    hostile.pragma('ignore_check_constraints = ON')
    hostile.exec(`UPDATE sudoagent_budget_charge SET ${change}`)
    hostile.close()
    expect(await codeOf(budget.reserve(chargeOf('r2'), at(0)))).toBe('BUDGET_STORE_FAILED')
    expect(await codeOf(budget.reserve(chargeOf('r1'), at(0)))).toBe('BUDGET_STORE_FAILED')
    expect(await codeOf(budget.commit('r1', at(0)))).toBe('BUDGET_STORE_FAILED')
  })

  test.each([
    ['a state that there is none of', `state = 'free'`],
    ['a time that is text', `charged_at_ms = 'long ago'`],
    ['a name that is bytes', `agent_id = x'00'`],
  ])('%s is a coded error for its request', async (_name, change) => {
    const path = temporaryPath('budget.sqlite')
    const budget = open(path)
    await budget.reserve(chargeOf('r1', { cost: 100 }), at(0))
    const hostile = new Database(path)
    hostile.pragma('ignore_check_constraints = ON')
    hostile.exec(`UPDATE sudoagent_budget_charge SET ${change}`)
    hostile.close()
    expect(await codeOf(budget.commit('r1', at(0)))).toBe('BUDGET_STORE_FAILED')
    expect(await codeOf(budget.reserve(chargeOf('r1', { cost: 100 }), at(0)))).toBe('BUDGET_STORE_FAILED')
    const other = await budget.reserve(chargeOf('r2'), at(0)).catch((error: unknown) => error)
    expect(other).not.toEqual({ allowed: true })
  })

  test('what is no database, a table of another form and a missing folder are coded errors', () => {
    const random = temporaryPath('budget.sqlite')
    writeFileSync(random, Buffer.alloc(4_096, 'sudo'))
    expect(openError(random)).toBe('BUDGET_STORE_FAILED')
    const other = temporaryPath('budget.sqlite')
    const db = new Database(other)
    db.exec(
      'CREATE TABLE sudoagent_budget_charge (budget_key, request_id, agent_id, action, charged_at_ms, state, cost); CREATE TABLE sudoagent_budget (x)',
    )
    db.close()
    expect(openError(other)).toBe('BUDGET_STORE_FAILED')
    expect(openError(`${temporaryPath('missing')}/budget.sqlite`)).toBe('BUDGET_STORE_FAILED')
  })
})
