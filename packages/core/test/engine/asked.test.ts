// Tests that the ledger has a question before an approver and the approval store have it, and what its decision
// repeats.
import { hashAuthority } from '@sudoagent/crypto/entry'
import { describe, expect, it, vi } from 'vitest'
import { QUESTION_TTL_MS_MAX } from '../../src/approval/approval.js'
import { ASK, policyOf, rejection } from '../fixtures/boundary.js'
import { asking, decisionsOf, KINDS, kindsOf, type Line, questionsOf, shelf } from '../fixtures/questions.js'

const NOTE = { reason: 'incident', by: 'alice' }
const YEAR_MS = 365 * 86_400_000

describe.each(KINDS)('%s: a question', (kind) => {
  it('is in the ledger before the store and the approver have it', async () => {
    const place = shelf(kind)
    const before: Record<string, string[]> = {}
    const a = asking(place, async () => {
      before.approver = kindsOf(await place.lines())
      return true
    })
    const create = a.store.create.bind(a.store)
    vi.spyOn(a.store, 'create').mockImplementation(async (...args) => {
      before.store = kindsOf(await place.lines())
      return await create(...args)
    })
    expect(await a.tool()).toBe('done')
    expect(before).toEqual({ store: ['genesis', 'asked'], approver: ['genesis', 'asked'] })
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0, expired: 0 } })
  })

  it('has the members of the call, and the decision repeats them', async () => {
    const place = shelf(kind)
    const a = asking(place, () => ({ approved: true, approverId: 'alice' }), {
      policy: policyOf(() => ({ ...ASK, ruleId: 'large-refunds' })),
      approvalTtlMs: 120_000,
    })
    const sudo = a.engine.with({ onBehalfOf: { id: 'u-17' }, tenant: 'acme' })
    await sudo.execute((_: object) => 'done', [{ amount: 5, password: 'hunter2hunter2', big: 7n }], {
      action: 'refund',
    })
    const lines = await place.lines()
    const [question] = questionsOf(lines)
    const [decision] = decisionsOf(lines) as [Line]
    const { authority, decision: decided, approval } = decision
    const at = lines.find(({ checkpoint }) => checkpoint === question)?.recorded_at as string
    expect(question).toEqual({
      kind: 'asked',
      approval_id: decision.request_id,
      request_id: decision.request_id,
      decision_at: decision.created_at,
      decision_hash: decided?.decision_hash,
      authority,
      authority_hash: hashAuthority(authority as never),
      policy_hash: decided?.policy_hash,
      action: 'refund',
      agent_id: 'agent',
      requirement: {
        rule: 'large-refunds',
        factors: [{ group: null, approvals: 1 }],
        assurance: 'asserted',
        registry_hash: null,
      },
      redacted: 2,
      expires_at: new Date(Date.parse(at) + 120_000).toISOString().replace('Z', '000Z'),
    })
    expect(authority).toMatchObject({ on_behalf_of: { id: 'u-17' }, tenant: 'acme' })
    expect(approval).toMatchObject({
      state: 'approved',
      approver_id: 'alice',
      approval_id: question?.approval_id,
      requirement: question?.requirement,
      redacted: 2,
      expires_at: question?.expires_at,
      created_at: at,
      registry: null,
      statements: [],
    })
    expect((await place.report()).ok).toBe(true)
  })

  it.each(['denied', 'expired', 'cancelled'] as const)('that ends %s is decided under its requirement', async (how) => {
    const place = shelf(kind)
    const controller = new AbortController()
    const a = asking(
      place,
      () => {
        if (how === 'denied') return false
        if (how === 'cancelled') controller.abort()
        return new Promise<never>(() => {})
      },
      { approvalTtlMs: 30 },
    )
    await rejection(a.engine.execute(() => 'done', [], { action: 'tool', signal: controller.signal }))
    const [decision] = decisionsOf(await place.lines())
    expect(decision).toMatchObject({
      decision: { effect: 'deny', reason_code: expect.stringMatching(/APPROVAL_(DENIED|EXPIRED)|CALL_CANCELLED/) },
      approval: { registry: null, statements: [], redacted: 0, requirement: { rule: null } },
    })
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0, expired: 0 } })
  })

  it('that a stop covers is not recorded, and nobody is asked', async () => {
    const place = shelf(kind)
    const a = asking(place)
    await a.engine.stop({ agent: 'age*' }, NOTE)
    expect(await rejection(a.tool())).toMatchObject({ code: 'STOPPED', denial: { retryable: false } })
    const lines = await place.lines()
    expect(kindsOf(lines)).toEqual(['genesis', 'stop', 'deny'])
    expect(lines.at(-1)?.approval).toBeNull()
    expect([a.asked(), a.runs(), await a.store.list({}, new Date())]).toEqual([0, 0, []])
    expect((await place.report()).ok).toBe(true)
  })

  it('that is approved does not run after a stop; a stop after the decision does not end the run', async () => {
    const place = shelf(kind)
    const a = asking(place, async () => {
      await a.engine.stop({ all: true }, NOTE)
      return true
    })
    expect(await rejection(a.tool())).toMatchObject({ code: 'STOPPED' })
    expect(a.runs()).toBe(0)
    expect(decisionsOf(await place.lines())[0]).toMatchObject({
      approval: { state: 'approved', requirement: { rule: null } },
      decision: { reason_code: 'STOPPED' },
    })
    const other = shelf(kind)
    const b = asking(other)
    const authorization = await b.engine.authorize({ action: 'tool' })
    await b.engine.stop({ all: true }, NOTE)
    if (authorization.status !== 'allowed') return expect.unreachable()
    expect(await b.engine.record(authorization, { status: 'success' })).toBe(true)
    for (const one of [place, other]) expect((await one.report()).ok).toBe(true)
  })

  it('is the last of 100 of its agent: the next call is denied, and nobody is asked', async () => {
    const place = shelf(kind)
    let answer = (_: boolean): void => {}
    const answered = new Promise<boolean>((resolve) => {
      answer = resolve
    })
    const a = asking(place, () => answered)
    const calls = Array.from({ length: 100 }, () => a.tool())
    await vi.waitFor(() => expect(a.asked()).toBe(100))
    const error = await rejection(a.tool())
    expect(error).toMatchObject({ code: 'QUESTIONS_FULL', denial: { retryable: true } })
    expect([a.asked(), (await place.lines()).at(-1)?.approval]).toEqual([100, null])
    answer(true)
    await Promise.all(calls)
    expect(await a.tool()).toBe('done')
    expect(a.runs()).toBe(101)
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0, expired: 0 } })
  })

  it('is not asked while the ledger time is a year ahead, and is when the clock has caught up', async () => {
    const place = shelf(kind)
    let nowMs = Date.UTC(2027, 0, 1)
    const a = asking(place, () => true, { clock: () => new Date(nowMs) })
    expect(await a.tool()).toBe('done')
    nowMs -= YEAR_MS
    const error = await rejection(a.tool())
    expect(error).toMatchObject({ code: 'CLOCK_BEHIND_LEDGER', denial: { retryable: true } })
    expect([a.asked(), (await place.lines()).at(-1)?.approval]).toEqual([1, null])
    nowMs += YEAR_MS
    expect(await a.tool()).toBe('done')
    expect((await place.report()).ok).toBe(true)
  })

  it('outlives a clock that jumps past the deadline and back while nothing is written', async () => {
    const place = shelf(kind)
    let nowMs = Date.UTC(2027, 0, 1)
    const a = asking(
      place,
      () => {
        nowMs += YEAR_MS
        nowMs -= YEAR_MS - 1_000
        return true
      },
      { clock: () => new Date(nowMs) },
    )
    expect(await a.tool()).toBe('done')
    expect((await place.report()).ok).toBe(true)
  })

  it('has expired when another entry was written while the clock was ahead; nothing more is recorded', async () => {
    const place = shelf(kind)
    let nowMs = Date.UTC(2027, 0, 1)
    const a = asking(
      place,
      async () => {
        nowMs += YEAR_MS
        await a.engine.stop({ action: 'other' }, NOTE)
        nowMs -= YEAR_MS
        return true
      },
      { clock: () => new Date(nowMs) },
    )
    expect(await rejection(a.tool())).toMatchObject({ code: 'APPROVAL_EXPIRED', denial: { retryable: true } })
    expect(a.runs()).toBe(0)
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'stop'])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0, expired: 1 } })
  })

  it('may wait for 7 days by the option of the engine, and is decided at its end', async () => {
    const place = shelf(kind)
    let nowMs = Date.UTC(2027, 0, 1)
    const a = asking(
      place,
      () => {
        nowMs += QUESTION_TTL_MS_MAX - 1
        return true
      },
      { clock: () => new Date(nowMs), approvalTtlMs: QUESTION_TTL_MS_MAX },
    )
    expect(await a.tool()).toBe('done')
    expect((await place.report()).ok).toBe(true)
  })

  it('of the last year that a timestamp has is denied when its deadline would be after it', async () => {
    const place = shelf(kind)
    const nowMs = Date.UTC(9999, 11, 31, 23, 59, 59)
    const a = asking(place, () => true, { clock: () => new Date(nowMs) })
    expect(await rejection(a.tool())).toMatchObject({ code: 'BOUNDARY_FAILED' })
    expect([a.asked(), a.runs(), kindsOf(await place.lines())]).toEqual([0, 0, ['genesis', 'deny']])
    expect((await place.report()).ok).toBe(true)
  })

  it('and its decision can have a `decision_at` in the year 9999', async () => {
    const place = shelf(kind)
    const a = asking(place, () => true, { clock: () => new Date(Date.UTC(9999, 0, 1)) })
    expect(await a.tool()).toBe('done')
    expect((await place.report()).ok).toBe(true)
  })

  it('and a refusal, an expiry and an allow can be recorded in one millisecond', async () => {
    const place = shelf(kind)
    const clock = () => new Date(Date.UTC(2027, 0, 1))
    const answers = [true, false, new Promise<never>(() => {})]
    const a = asking(place, () => answers.shift() ?? true, { clock, approvalTtlMs: 20 })
    const calls = await Promise.allSettled([a.tool(), a.tool(), a.tool()])
    expect(calls.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(await place.report()).toMatchObject({ ok: true, decisions: 3, outcomes: 1 })
  })
})
