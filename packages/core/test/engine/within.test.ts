// Tests policies that set the time for the approval of a call (`approval.within`).
import { describe, expect, it, vi } from 'vitest'
import { QUESTION_TTL_MS_MAX } from '../../src/approval/approval.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { PolicyError } from '../../src/error.js'
import type { EngineOptions } from '../../src/options.js'
import { ALLOW, ASK, boundary, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'
import { asking, KINDS, kindsOf, questionsOf, type Shelf, shelf } from '../fixtures/questions.js'

const HOUR_MS = 3_600_000
const yes = { approve: () => true }
const within = (ms: unknown) => policyOf(() => ({ ...ASK, approval: { within: ms as number } }))

/** The time until the deadline of the only question of a ledger, in milliseconds. */
async function timeGiven(place: Shelf): Promise<number> {
  const lines = await place.lines()
  const [question] = questionsOf(lines)
  const recordedAt = lines.find(({ checkpoint }) => checkpoint === question)?.recorded_at as string
  return Date.parse(question?.expires_at as string) - Date.parse(recordedAt)
}

describe.each(KINDS)('%s: the deadline of a question', (kind) => {
  it.each([
    ['a shorter one than that of the engine', 120_000, 300_000],
    ['a longer one than that of the engine', 120_000, 1_000],
    ['a millisecond more than an hour', HOUR_MS + 1, 300_000],
    ['7 days', QUESTION_TTL_MS_MAX, 300_000],
  ])('is that of the policy: %s', async (_, ms, approvalTtlMs) => {
    const place = shelf(kind)
    const shown: number[] = []
    const a = asking(
      place,
      ({ createdAt, expiresAt }) => {
        shown.push(expiresAt.getTime() - createdAt.getTime())
        return true
      },
      { policy: within(ms), approvalTtlMs },
    )
    expect(await a.tool()).toBe('done')
    expect([await timeGiven(place), shown]).toEqual([ms, [ms]])
    expect((await place.report()).ok).toBe(true)
  })

  it('is that of the policy, not that of the call', async () => {
    const place = shelf(kind)
    const a = asking(place, () => true, { policy: within(120_000) })
    await a.engine.execute(() => 'done', [], { action: 'tool', approvalTtlMs: 10_000 })
    expect(await timeGiven(place)).toBe(120_000)
  })

  it('passes, and the call is denied', async () => {
    const place = shelf(kind)
    const a = asking(place, () => new Promise<never>(() => {}), { policy: within(30) })
    expect(await rejection(a.tool())).toMatchObject({ code: 'APPROVAL_EXPIRED' })
    expect([a.runs(), kindsOf(await place.lines())]).toEqual([0, ['genesis', 'asked', 'deny']])
    expect((await place.report()).ok).toBe(true)
  })

  it('is that of the engine if the policy does not set one, or allows a call that is asked about', async () => {
    const options: Partial<EngineOptions>[] = [
      { policy: policyOf(() => ASK), onConcealed: 'ask' },
      { policy: policyOf(() => ({ ...ALLOW, approval: { within: 120_000 } })), onConcealed: 'ask' },
    ]
    for (const each of options) {
      const place = shelf(kind)
      const a = asking(place, () => true, { ...each, approvalTtlMs: 60_000 })
      await a.engine.execute((_: object) => 'done', [{ note: 'ghp_abc123' }], { action: 'tool' })
      expect(await timeGiven(place)).toBe(60_000)
    }
  })
})

describe('a time that is not valid', () => {
  it.each<[string, unknown]>([
    ['a string', { within: '5m' }],
    ['a string of digits', { within: '120000' }],
    ['a fraction', { within: 1.5 }],
    ['0', { within: 0 }],
    ['a negative number', { within: -1 }],
    ['NaN', { within: Number.NaN }],
    ['Infinity', { within: Number.POSITIVE_INFINITY }],
    ['a bigint', { within: 120_000n }],
    ['null', { within: null }],
    ['7 days and a millisecond', { within: QUESTION_TTL_MS_MAX + 1 }],
    ['none', {}],
    ['another member', { within: 120_000, by: 'alice' }],
    ['an inherited time', Object.create({ within: 120_000 })],
    ['a number instead of an object', 120_000],
    ['a list', [120_000]],
    ['null instead of an object', null],
  ])('denies the call, whatever the policy decides: %s', async (_, approval) => {
    for (const result of [ASK, ALLOW]) {
      const b = boundary(
        policyOf(() => ({ ...result, approval }) as never),
        { approver: yes },
      )
      const error = await rejection(b.tool({ amount: 1 }))
      expect(error).toBeInstanceOf(PolicyError)
      expect((error as Error).cause).toBeInstanceOf(TypeError)
      await expectDenied(b, error, 'POLICY_EVALUATION_FAILED')
    }
  })
})

describe('a ledger that does not record questions', () => {
  it('takes an hour', async () => {
    const b = boundary(within(HOUR_MS), { approver: yes }, 'older')
    expect(await b.tool()).toBe('done')
    const [{ approval } = { approval: null }] = await b.entries()
    expect(Date.parse(approval?.expires_at as string) - Date.parse(approval?.created_at as string)).toBe(HOUR_MS)
  })

  it('denies a call with more, and tells why; no one is asked', async () => {
    const approve = vi.fn(() => true)
    const b = boundary(within(HOUR_MS + 1), { approver: { approve } }, 'older')
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(PolicyError)
    expect(error).toMatchObject({
      cause: expect.any(TypeError),
      denial: { reason: expect.stringMatching(/more than an hour.*a ledger that records questions/) },
    })
    await expectDenied(b, error, 'POLICY_EVALUATION_FAILED')
    expect(approve).not.toHaveBeenCalled()
  })

  it('lets a call run that the policy allows, because the time is ignored', async () => {
    const b = boundary({ ...ALLOW, approval: { within: QUESTION_TTL_MS_MAX } }, {}, 'older')
    expect(await b.tool()).toBe('done')
  })
})

it('a charge is reserved for the time of the policy', async () => {
  const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 9 })
  const reserve = vi.spyOn(budget, 'reserve')
  const b = boundary(within(120_000), { approver: yes, budget, approvalTtlMs: 5_000, timeoutMs: 1_000 })
  await b.tool()
  expect(reserve.mock.calls.map((given: unknown[]) => given[2])).toEqual([121_000, 0])
})

it('a call cannot ask for more than an hour, even if the policy does', async () => {
  const b = boundary(within(QUESTION_TTL_MS_MAX), { approver: yes, approvalTtlMs: QUESTION_TTL_MS_MAX })
  const options = { action: 'tool', approvalTtlMs: HOUR_MS + 1 }
  expect(await rejection(b.engine.execute(() => 'done', [], options))).toBeInstanceOf(RangeError)
  expect(await b.entries()).toEqual([])
})
