import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { ApprovalRequest, ApprovalStore } from '../../src/approval/approval.js'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { PollingApprover } from '../../src/approval/polling.js'
import { at, bindingOf, codeOf, requestOf } from '../fixtures/approval.js'

/** Creates a store with one pending request, and a clock that the test can set. */
async function waiting(): Promise<{
  store: ApprovalStore
  request: ApprovalRequest
  clock: () => Date
  setMs: (ms: number) => void
}> {
  const store = new MemoryApprovalStore()
  const request = requestOf('r1')
  let nowMs = 0
  await store.create(request, at(0))
  return {
    store,
    request,
    clock: () => at(nowMs),
    setMs: (ms) => {
      nowMs = ms
    },
  }
}

const never = new AbortController().signal

describe('PollingApprover', () => {
  test.each(['approved', 'denied'] as const)('hears what somebody else says: %s', async (state) => {
    const { store, request, clock } = await waiting()
    const answer = new PollingApprover({ intervalMs: 10, clock }).approve(request, { signal: never, store })
    await sleep(25)
    await store.resolve('r1', { state, approverId: 'alice', note: 'seen' }, at(1))
    expect(await answer).toEqual({
      approved: state === 'approved',
      approverId: 'alice',
      reason: 'seen',
      binding: bindingOf('r1'),
    })
  })

  test('a failed one is a no', async () => {
    const { store, request, clock } = await waiting()
    await store.resolve('r1', { state: 'failed', note: 'broken' }, at(1))
    expect(await new PollingApprover({ clock }).approve(request, { signal: never, store })).toEqual({
      approved: false,
      reason: 'broken',
    })
  })

  test('the deadline ends the wait', async () => {
    const { store, request, clock, setMs } = await waiting()
    setMs(59_990)
    const answer = new PollingApprover({ intervalMs: 60_000, clock }).approve(request, { signal: never, store })
    setMs(60_000)
    expect(await answer).toEqual({ approved: false, reason: 'no answer before the deadline' })
  })

  test('an abort ends the wait at once, and leaves the engine’s record to the engine', async () => {
    const { store, request, clock } = await waiting()
    const abort = new AbortController()
    const answer = new PollingApprover({ intervalMs: 60_000, clock }).approve(request, { signal: abort.signal, store })
    const start = performance.now()
    setTimeout(() => abort.abort(), 20)
    expect(await answer).toMatchObject({ approved: false })
    expect(performance.now() - start).toBeLessThan(1_000)
    expect((await store.get('r1', at(0)))?.state).toBe('pending')
  })

  test('does not look more often than it was told to', async () => {
    const { store, request, clock } = await waiting()
    const get = vi.spyOn(store, 'get')
    const abort = new AbortController()
    const answer = new PollingApprover({ intervalMs: 50, clock }).approve(request, { signal: abort.signal, store })
    await sleep(180)
    abort.abort()
    await answer
    expect(get.mock.calls.length).toBeGreaterThanOrEqual(2)
    expect(get.mock.calls.length).toBeLessThanOrEqual(6)
  })

  test('a clock that stands still does not make the wait endless', async () => {
    const store = new MemoryApprovalStore()
    const request = requestOf('r1', {}, 50)
    await store.create(request, at(0))
    const answer = await new PollingApprover({ intervalMs: 10, clock: () => at(0) }).approve(request, {
      signal: never,
      store,
    })
    expect(answer).toMatchObject({ approved: false })
  })

  test('a store that fails, or does not know the request, throws', async () => {
    const { store, request, clock } = await waiting()
    const approver = new PollingApprover({ clock })
    expect(await codeOf(Promise.resolve(approver.approve(requestOf('r2'), { signal: never, store })))).toBe(
      'APPROVAL_NOT_FOUND',
    )
    await store.close()
    expect(await codeOf(Promise.resolve(approver.approve(request, { signal: never, store })))).toBe(
      'APPROVAL_STORE_FAILED',
    )
  })

  test('in a store of its own it puts the question, and takes it back when the wait is given up', async () => {
    const { store, request, clock } = await waiting()
    const own = new MemoryApprovalStore()
    const abort = new AbortController()
    const approver = new PollingApprover({ store: own, intervalMs: 10, clock })
    const first = approver.approve(request, { signal: abort.signal, store })
    await sleep(25)
    expect((await own.get('r1', at(0)))?.state).toBe('pending')
    abort.abort()
    expect(await first).toMatchObject({ approved: false })
    expect((await own.get('r1', at(0)))?.state).toBe('failed')

    const second = approver.approve(requestOf('r2'), { signal: never, store })
    await sleep(25)
    await own.resolve('r2', { state: 'approved', approverId: 'bob' }, at(1))
    expect(await second).toMatchObject({ approved: true, approverId: 'bob', binding: bindingOf('r2') })
  })

  test('wrong options are a TypeError', () => {
    expect(() => new PollingApprover({ interval: 5 } as never)).toThrow(/did you mean `intervalMs`/)
    for (const intervalMs of [0, 9, 60_001, 10.5, '250'])
      expect(() => new PollingApprover({ intervalMs: intervalMs as number })).toThrow(TypeError)
  })
})
