// Tests stops from the side of the engine: the denial of a stopped call is recorded, its function does not run, and its
// charge is given back. The ledger decides, under its lock, at the last moment before the function.
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { SudoEngine } from '../../src/engine.js'
import { ApprovalDenied, type CallDenied } from '../../src/error.js'
import { ALLOW, ASK, boundary, expectDenied, rejection } from '../fixtures/boundary.js'

const NOTE = { reason: 'incident', by: 'alice' }

describe('a stopped call', () => {
  it('is denied on record, and does not run', async () => {
    const b = boundary(ALLOW)
    await b.ledger.inner.stop({ agent: 'ag*' }, NOTE)
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'STOPPED')
    expect((error as CallDenied).denial).toMatchObject({
      retryable: false,
      reason: expect.stringMatching(/agent ag\*/),
    })
    expect(b.audit.records.map(({ event, reason_code: code }) => [event, code])).toEqual([
      ['decision', 'POLICY_ALLOW_LOW_RISK'],
      ['error', 'STOPPED'],
      ['decision', 'STOPPED'],
    ])
    // The rule that would have allowed the call is recorded, too.
    expect((await b.entries())[0]?.metadata).toMatchObject({ policy_result: { decision: 'allow' } })
  })

  it('gives its charge back', async () => {
    const b = boundary(ALLOW, { budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }) })
    const { stopId } = await b.ledger.inner.stop({ action: '*' }, NOTE)
    await rejection(b.tool())
    await b.ledger.inner.resume(stopId, NOTE)
    expect(await b.tool()).toBe('done')
    expect((await b.report()).ok).toBe(true)
  })

  it('that was approved before the stop is not run after it', async () => {
    const store = new MemoryApprovalStore()
    const b = boundary(ASK, {
      approvalStore: store,
      approver: {
        approve: async () => {
          await b.ledger.inner.stop({ all: true }, NOTE)
          return true
        },
      },
    })
    await expectDenied(b, await rejection(b.tool()), 'STOPPED')
    expect((await b.entries())[0]).toMatchObject({ approval: { state: 'approved' }, decision: { effect: 'deny' } })
    expect((await b.report()).ok).toBe(true)
  })

  it('that is already running goes on, and its outcome is recorded', async () => {
    const b = boundary(ALLOW)
    const running = b.engine.guard('slow', async () => {
      await b.ledger.inner.stop({ all: true }, NOTE)
      return 'ended'
    })
    expect(await running()).toBe('ended')
    expect(await b.report()).toMatchObject({ ok: true, outcomes: 1, stops: [{ in_flight: 1 }] })
  })
})

describe('engine.stop', () => {
  it('stops calls from its entry on, once for one scope', async () => {
    const ledger = new MemoryLedger()
    const engine = new SudoEngine({
      policy: { policyId: 'p', version: '1', evaluate: () => ALLOW },
      agentId: 'a',
      ledger,
    })
    let runs = 0
    const call = engine.guard('act', async () => ++runs)
    await call()
    const first = await engine.stop({ agent: 'a' }, NOTE)
    expect(first).toMatchObject({ position: 4, entry: { position: 4 } })
    expect(await engine.stop({ agent: 'a' }, NOTE)).toEqual({ ...first, entry: null })
    await expect(call()).rejects.toMatchObject({ code: 'STOPPED', hint: expect.stringContaining('sudoagent resume') })
    expect(runs).toBe(1)
    await ledger.resume(first.stopId, NOTE)
    await call()
    expect(runs).toBe(2)
  })

  it('is refused by a ledger that has no stops', async () => {
    const b = boundary(ALLOW)
    await expect(b.engine.stop({ all: true }, NOTE)).rejects.toThrow(TypeError)
  })

  it('authorize returns the denial', async () => {
    const b = boundary(ALLOW)
    await b.ledger.inner.stop({ all: true }, NOTE)
    expect(await b.engine.authorize({ action: 'act' })).toMatchObject({ status: 'denied', code: 'STOPPED' })
  })
})
