// Tests calls with the same request id: with `once`, one of them is decided and runs, and its charge counts once.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { ALLOW, ASK, DENY, policyOf } from '../fixtures/boundary.js'
import { race } from '../fixtures/child.js'
import { asking, kindsOf, questionsOf, shelf } from '../fixtures/questions.js'

const oneUnit = () => new MemoryBudget({ windowMs: 60_000, perAgent: 1 })
const DECIDED = { status: 'denied', code: 'CALL_DECIDED', retryable: false }
const CALL = { action: 'tool', requestId: 'r-1', once: true } as const

describe.each(['memory', 'jsonl', 'sqlite'] as const)('%s, one process: two calls with one request id', (kind) => {
  it.each([
    ['allowed', ALLOW, ['genesis', 'allow']],
    ['approved', ASK, ['genesis', 'asked', 'allow']],
  ] as const)('%s: one is decided, and its charge counts once', async (_, result, kinds) => {
    const place = shelf(kind)
    const a = asking(place, () => true, { policy: policyOf(() => result), budget: oneUnit() })
    const answers = await Promise.all([a.engine.authorize(CALL), a.engine.authorize(CALL)])
    expect(answers.filter(({ status }) => status === 'allowed')).toHaveLength(1)
    expect(answers.find(({ status }) => status === 'denied')).toMatchObject(DECIDED)
    expect(kindsOf(await place.lines())).toEqual(kinds)
    expect(await a.engine.authorize({ action: 'tool' })).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
    expect((await place.report()).ok).toBe(true)
  })

  it('denied: the denial is recorded once, and the charge is given back', async () => {
    const place = shelf(kind)
    const budget = oneUnit()
    const a = asking(place, () => false, { budget })
    const answers = await Promise.all([a.engine.authorize(CALL), a.engine.authorize(CALL)])
    expect(answers.map(({ status }) => status)).toEqual(['denied', 'denied'])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
    const charge = { requestId: 'next', agentId: 'agent', action: 'tool', cost: 1 }
    expect(await budget.reserve(charge, new Date())).toEqual({ allowed: true })
    expect(await a.engine.authorize(CALL)).toMatchObject({ status: 'denied', code: 'BUDGET_EXCEEDED_AGENT_RATE' })
  })

  it('denied by the policy after an allow: the decision on record has the last word', async () => {
    const place = shelf(kind)
    const results = [ALLOW, DENY]
    const a = asking(place, () => true, { policy: policyOf(() => results.shift() ?? DENY), budget: oneUnit() })
    expect(await a.engine.authorize(CALL)).toMatchObject({ status: 'allowed' })
    expect(await a.engine.authorize(CALL)).toMatchObject(DECIDED)
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'allow'])
  })

  it('after a restart the decision on record is found', async () => {
    const place = shelf(kind)
    const a = asking(place)
    expect(await a.engine.authorize(CALL)).toMatchObject({ status: 'allowed' })
    if (kind !== 'memory') await a.ledger.close()
    const b = asking(place)
    expect(await b.engine.authorize(CALL)).toMatchObject(DECIDED)
    expect([b.asked(), kindsOf(await place.lines())]).toEqual([0, ['genesis', 'asked', 'allow']])
  })

  it('without `once`, a second question with an open id is not asked', async () => {
    const place = shelf(kind)
    let answer = (_: boolean): void => {}
    const a = asking(place, () => new Promise<boolean>((resolve) => (answer = resolve)))
    const { once: _, ...call } = CALL
    const first = a.engine.authorize(call)
    await expect.poll(a.asked).toBe(1)
    expect(await a.engine.authorize(call)).toMatchObject({ status: 'denied', code: 'LEDGER_WRITE_FAILED_DECISION' })
    answer(true)
    expect(await first).toMatchObject({ status: 'allowed' })
    expect(questionsOf(await place.lines())).toHaveLength(1)
    expect((await place.report()).ok).toBe(true)
  })
})

describe('SQLite, several processes: calls with one request id', () => {
  it.each([
    ['allow', true, ['genesis', 'allow', 'outcome']],
    ['require_approval', true, ['genesis', 'asked', 'allow', 'outcome']],
    ['require_approval', false, ['genesis', 'asked', 'deny']],
  ] as const)('%s, answered %s: one entry, one charge, at most one run', async (effect, answer, kinds) => {
    const place = shelf('sqlite')
    const folder = dirname(place.path)
    const task = { folder, requestId: 'r-1', effect, answer }
    const told = (await race('once.mjs', [task, task, task])) as Record<string, unknown>[]
    const allowed = told.filter(({ status }) => status === 'allowed').length
    expect(allowed).toBe(kinds.includes('outcome' as never) ? 1 : 0)
    if (allowed === 1) {
      const losers = told.filter(({ status }) => status === 'denied')
      expect(losers).toMatchObject([DECIDED, DECIDED])
      expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe('r-1\n')
    } else expect(existsSync(join(folder, 'ran'))).toBe(false)
    expect(kindsOf(await place.lines())).toEqual(kinds)
    expect((await place.report()).ok).toBe(true)
    const [next] = await race('once.mjs', [{ ...task, requestId: 'r-2', answer: true }])
    expect(next).toMatchObject(allowed === 1 ? { code: 'BUDGET_EXCEEDED_AGENT_RATE' } : { status: 'allowed' })
  })
})
