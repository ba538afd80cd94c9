// Tests calls that do not wait: the question outlives the call and its process, and the call runs once, when it is
// repeated or resumed after the answer.
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import type { AuthorizeCall } from '../../src/engine-port.js'
import type { EngineOptions } from '../../src/options.js'
import { ASK, policyOf } from '../fixtures/boundary.js'
import { asked, CALL, NO_WAIT, office } from '../fixtures/office.js'
import { decisionsOf, KINDS, kindsOf, shelf } from '../fixtures/questions.js'

describe.each(KINDS)('%s: a call that does not wait', (kind) => {
  it('is pending, then resumed by another process, and runs once', async () => {
    const place = shelf(kind)
    const { engine, approve } = office(place)
    const pending = await asked(engine())
    expect(pending).toEqual({
      status: 'pending',
      approvalId: pending.requestId,
      requestId: expect.any(String),
      reason: expect.any(String),
      expiresAt: expect.any(Date),
    })
    const other = engine()
    expect(await other.resume(pending.approvalId, CALL, NO_WAIT)).toEqual(pending)
    await approve(pending.approvalId)
    const answer = await other.resume(pending.approvalId, CALL)
    expect(answer).toMatchObject({ status: 'allowed', requestId: pending.requestId, args: CALL.args })
    if (answer.status === 'allowed') await other.recordResult(answer, 'paid')
    for (const again of [engine(), other])
      expect(await again.resume(pending.approvalId, CALL)).toMatchObject({ code: 'APPROVAL_ALREADY_USED' })
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
    expect(await place.report()).toMatchObject({ ok: true, approvals: { asserted: 1 }, questions: { open: 0 } })
  })

  it('is repeated, and attaches to its question, in the same process and in another one', async () => {
    const place = shelf(kind)
    const { engine, approve } = office(place)
    const first = engine()
    const { approvalId } = await asked(first)
    expect((await asked(first)).approvalId).toBe(approvalId)
    expect((await asked(engine())).approvalId).toBe(approvalId)
    await approve(approvalId)
    expect(await engine().authorize(CALL, NO_WAIT)).toMatchObject({ status: 'allowed', requestId: approvalId })
    expect((await asked(first)).approvalId).not.toBe(approvalId)
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'asked'])
    expect((await place.report()).ok).toBe(true)
  })

  it('is found where the store has more used approvals than one list shows', async () => {
    const { engine, store, approve } = office(shelf(kind))
    const { approvalId } = await asked(engine())
    await approve(approvalId)
    const list = store.list.bind(store)
    const [record] = await list({ state: 'approved' }, new Date())
    const used = { ...record, approvalId: 'another', consumedAt: new Date() }
    store.list = async (filter, now) => (filter.state === 'approved' ? Array(200).fill(used) : await list(filter, now))
    expect(await engine().authorize(CALL, NO_WAIT)).toMatchObject({ status: 'allowed', requestId: approvalId })
  })

  it('is refused by a person: the repeated call learns it once, on record', async () => {
    const place = shelf(kind)
    const { engine, deny } = office(place)
    const { approvalId } = await asked(engine())
    await deny(approvalId)
    expect(await engine().authorize(CALL, NO_WAIT)).toMatchObject({
      code: 'APPROVAL_DENIED',
      reason: 'not today',
      requestId: approvalId,
    })
    expect(decisionsOf(await place.lines())).toMatchObject([
      { request_id: approvalId, approval: { state: 'denied', approver_id: 'bob' }, decision: { effect: 'deny' } },
    ])
    expect((await asked(engine())).approvalId).not.toBe(approvalId)
    expect((await place.report()).ok).toBe(true)
  })

  it('is resumed by two processes at once: it runs once', async () => {
    const place = shelf(kind)
    const { engine, approve } = office(place)
    const { approvalId } = await asked(engine())
    await approve(approvalId)
    const answers = await Promise.all(Array.from({ length: 4 }, () => engine().resume(approvalId, CALL)))
    expect(answers.filter(({ status }) => status === 'allowed')).toHaveLength(1)
    const rest = answers.filter(({ status }) => status !== 'allowed')
    expect(rest).toEqual(Array(3).fill(expect.objectContaining({ code: 'APPROVAL_ALREADY_USED' })))
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow'])
  })
})

describe('a question', () => {
  it.each<[string, Partial<AuthorizeCall>, Partial<EngineOptions>?]>([
    ['other arguments', { args: [{ amount: 51, to: 'bob' }] }],
    ['another action', { action: 'refund' }],
    ['another subject', { onBehalfOf: { id: 'mallory' } }],
    ['another session', { session: 's-2' }],
    ['another agent', {}, { agentId: 'agent-2' }],
    ['an argument that cannot be recorded', { args: [{ amount: Number.NaN }] }],
  ])('is not found for a call with %s, and nothing is recorded', async (_, difference, options = {}) => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place)
    const { approvalId } = await asked(engine())
    await approve(approvalId)
    const answer = await engine(options).resume(approvalId, { ...CALL, ...difference })
    const unknown = await engine().resume('no such question', CALL)
    expect(answer).toMatchObject({ status: 'denied', code: 'APPROVAL_NOT_FOUND', requestId: approvalId })
    expect({ ...answer, requestId: '' }).toEqual({ ...unknown, requestId: '' })
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked'])
    expect(await engine().resume(approvalId, CALL)).toMatchObject({ status: 'allowed' })
  })

  it('of another ledger is not found', async () => {
    const [one, two] = [shelf('sqlite'), shelf('sqlite')]
    const { engine, store, approve } = office(one)
    const { approvalId } = await asked(engine())
    await approve(approvalId)
    const other = office(two).engine({ approvalStore: store })
    expect(await other.resume(approvalId, CALL)).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect((await other.authorize(CALL, NO_WAIT)).status).toBe('pending')
    expect(kindsOf(await two.lines())).toEqual(['genesis', 'asked'])
  })

  it('that was asked under another policy is denied, on record; a repeated call asks for itself', async () => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place)
    const { approvalId } = await asked(engine())
    await approve(approvalId)
    const renewed = engine({ policy: { ...policyOf(() => ASK), version: '2' } })
    expect(await asked(renewed)).toMatchObject({ status: 'pending' })
    expect(await renewed.resume(approvalId, CALL)).toMatchObject({ code: 'APPROVAL_STALE', retryable: true })
    expect(await renewed.resume(approvalId, CALL)).toMatchObject({ code: 'APPROVAL_ALREADY_USED' })
    expect(decisionsOf(await place.lines())).toMatchObject([
      { request_id: approvalId, decision: { effect: 'deny', reason_code: 'APPROVAL_STALE' } },
    ])
    expect((await place.report()).ok).toBe(true)
  })

  it('that has expired is denied, on record while the ledger has it open', async () => {
    const place = shelf('sqlite')
    let nowMs = Date.UTC(2027, 0, 1)
    const { engine, approve } = office(place, { clock: () => new Date(nowMs) })
    const [first, second] = [await asked(engine()), await asked(engine(), { ...CALL, args: [{ amount: 1 }] })]
    await approve(first.approvalId)
    nowMs += 300_000
    expect(await engine().resume(first.approvalId, CALL)).toMatchObject({ code: 'APPROVAL_EXPIRED', retryable: true })
    expect((await asked(engine())).approvalId).not.toBe(first.approvalId)
    nowMs += 60_001
    await engine().authorize({ action: 'other', args: [] }, NO_WAIT)
    expect(await engine().resume(second.approvalId, { ...CALL, args: [{ amount: 1 }] })).toMatchObject({
      code: 'APPROVAL_EXPIRED',
    })
    expect(decisionsOf(await place.lines()).map(({ request_id: id }) => id)).toEqual([first.approvalId])
    expect((await place.report()).ok).toBe(true)
  })
})

describe('arguments behind a redaction', () => {
  const secret = (token: string): AuthorizeCall => ({ action: 'pay', args: [{ amount: 50, api_key: token }] })

  it('attach to the question of the process that asked only if they are the same', async () => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place)
    const first = engine()
    const { approvalId } = await asked(first, secret('sk-one'))
    expect((await asked(first, secret('sk-two'))).approvalId).not.toBe(approvalId)
    await approve(approvalId)
    expect(await first.resume(approvalId, secret('sk-two'))).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect(await first.resume(approvalId, secret('sk-one'))).toMatchObject({ status: 'allowed' })
  })

  it.each<[string, unknown, unknown]>([
    ['a secret', { api_key: 'sk-one' }, { api_key: 'sk-one' }],
    ['the placeholder of a secret', { api_key: '[redacted]' }, { api_key: 'sk-one' }],
    ['a buffer', Buffer.from('pay 1 EUR'), Buffer.from('pay 9 EUR')],
    ['the placeholder of a buffer', '<Buffer:9>', Buffer.from('pay 9 EUR')],
    ['a bigint', '5', 5n],
  ])('do not attach in another process: %s', async (_, first, second) => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place, { onConcealed: 'allow' })
    const { approvalId } = await asked(engine(), { ...CALL, args: [first] })
    await approve(approvalId)
    const answer = await engine().authorize({ ...CALL, args: [second] }, NO_WAIT)
    expect(answer).toMatchObject({ status: 'pending' })
    expect(answer).not.toMatchObject({ requestId: approvalId })
    expect(await engine().resume(approvalId, { ...CALL, args: [second] })).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
  })

  it('not in NFC attach in the same process only', async () => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place, { unicode: 'normalize' })
    const nfd = { ...CALL, args: [{ to: 'Ade\u0301le' }] }
    const nfc = { ...CALL, args: [{ to: 'Ad\u00e9le' }] }
    const { approvalId } = await asked(engine(), nfd)
    await approve(approvalId)
    expect(await engine().resume(approvalId, nfc)).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect(await engine().resume(approvalId, nfd)).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
  })
})

describe('a waiter', () => {
  it('makes an equal call a question of its own: two payments need two approvals', async () => {
    const place = shelf('sqlite')
    const { engine, store, approve } = office(place)
    const waiting = [engine().authorize(CALL), engine().authorize(CALL)]
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(2)
    for (const { approvalId } of await store.list({ state: 'pending' }, new Date())) await approve(approvalId)
    const later = engine({ approver: { approve: () => true } })
    for (const { approvalId } of await store.list({}, new Date()))
      expect(await later.resume(approvalId, CALL, NO_WAIT)).toMatchObject({ status: 'pending' })
    void waiting
  })

  it('that lives makes `resume` wait for it, and its end lets `resume` go on', async () => {
    const place = shelf('sqlite')
    const { engine, store, approve } = office(place)
    const abort = new AbortController()
    const first = engine()
    const waiting = first.authorize({ ...CALL, signal: abort.signal })
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(1)
    const [{ approvalId } = { approvalId: '' }] = await store.list({ state: 'pending' }, new Date())
    const other = engine()
    expect(await other.resume(approvalId, CALL, NO_WAIT)).toMatchObject({ status: 'pending' })
    const resumed = other.resume(approvalId, CALL)
    await delay(400)
    await approve(approvalId)
    abort.abort(new Error('the client is gone'))
    expect(await waiting).toMatchObject({ code: 'CALL_CANCELLED' })
    expect(await resumed).toMatchObject({ code: 'APPROVAL_ALREADY_USED' })
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
  })

  it('is not needed for a resume whose caller cancels: the question stays open', async () => {
    const place = shelf('sqlite')
    const { engine, store } = office(place)
    const waiting = engine().authorize(CALL)
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(1)
    const [{ approvalId } = { approvalId: '' }] = await store.list({}, new Date())
    const abort = new AbortController()
    const resumed = engine().resume(approvalId, { ...CALL, signal: abort.signal })
    setTimeout(() => abort.abort('enough'), 50)
    await expect(resumed).rejects.toBe('enough')
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked'])
    void waiting
  })
})

describe('the budget', () => {
  it('is charged once for a question, and given back when it is denied', async () => {
    const place = shelf('sqlite')
    const budget = new MemoryBudget({ windowMs: 3_600_000, perAgent: 1 })
    const { engine, approve, deny } = office(place, { budget })
    const first = await asked(engine())
    expect((await asked(engine())).approvalId).toBe(first.approvalId)
    expect(await engine().authorize({ ...CALL, args: [{ amount: 1 }] }, NO_WAIT)).toMatchObject({
      code: 'BUDGET_EXCEEDED_AGENT_RATE',
    })
    await deny(first.approvalId)
    expect(await engine().resume(first.approvalId, CALL)).toMatchObject({ code: 'APPROVAL_DENIED' })
    const second = await asked(engine())
    await approve(second.approvalId)
    expect(await engine().resume(second.approvalId, CALL)).toMatchObject({ status: 'allowed' })
    expect(await engine().authorize(CALL, NO_WAIT)).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
  })
})

describe('misuse', () => {
  it('is a TypeError: a ledger without questions, a wrong option, a request id', async () => {
    const { engine } = office(shelf('memory'))
    const older = engine({ ledger: { append: () => Promise.reject(new Error('no')), close: async () => {} } })
    await expect(older.authorize(CALL, NO_WAIT)).rejects.toThrow(
      '`wait: false` requires a ledger that records questions',
    )
    await expect(older.resume('x', CALL)).rejects.toThrow('`resume` requires a ledger that records questions')
    await expect(engine().authorize(CALL, { wait: 'no' as never })).rejects.toThrow('`wait` must be true or false')
    await expect(engine().authorize(CALL, { waits: false } as never)).rejects.toThrow('unknown option `waits`')
    await expect(engine().resume('x', { ...CALL, requestId: 'y' } as never)).rejects.toThrow(
      'unknown option `requestId`',
    )
    await expect(engine().resume('', CALL)).rejects.toThrow('`approvalId`')
  })
})
