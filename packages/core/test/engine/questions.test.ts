// Tests the two conditions for a question to an approver: the ledger's clock is not too far ahead, and enough memory is
// left for the request.
import { LedgerError } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { SudoEngine } from '../../src/engine.js'
import { ApprovalDenied, ApprovalError, type CallDenied } from '../../src/error.js'
import { OPEN_QUESTIONS_BYTES_MAX } from '../../src/limits.js'
import { ALLOW, ASK, boundary, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5)

/** Creates an engine whose ledger is ahead of the engine's clock, and counts the approval requests. */
function ahead(aheadMs: unknown) {
  let asked = 0
  const approver = {
    approve: async () => {
      asked += 1
      return true
    },
  }
  const b = boundary(ASK, { approver })
  Object.assign(b.ledger, { aheadMs: async () => (aheadMs instanceof Error ? Promise.reject(aheadMs) : aheadMs) })
  return { b, asked: () => asked }
}

describe('the time of the ledger', () => {
  it.each([60_001, 3.2e11, Number.NaN, '0', null])('ahead by %s: nobody is asked', async (aheadMs) => {
    const { b, asked } = ahead(aheadMs)
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    expect((error as CallDenied).denial.retryable).toBe(true)
    await expectDenied(b, error, 'CLOCK_BEHIND_LEDGER')
    expect((await b.entries())[0]?.approval).toBeNull()
    expect(asked()).toBe(0)
  })

  it.each([60_000, 0, -3.2e10])('ahead by %s: a person is asked', async (aheadMs) => {
    const { b, asked } = ahead(aheadMs)
    expect(await b.tool()).toBe('done')
    expect(asked()).toBe(1)
  })

  it('that cannot be read: nobody is asked', async () => {
    const { b, asked } = ahead(new Error('disk is gone'))
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalError)
    await expectDenied(b, error, 'APPROVAL_PROCESS_FAILED')
    expect(asked()).toBe(0)
  })

  it('once wrong by ten years and put right: calls that need nobody go on, questions say why not', async () => {
    let nowMs = NOW_MS + 3650 * 86_400_000
    const clock = () => new Date(nowMs)
    const ledger = new MemoryLedger({ clock })
    const engine = (result: typeof ALLOW) =>
      new SudoEngine({ policy: policyOf(() => result), agentId: 'a', ledger, clock, approver: { approve: () => true } })
    const call = (result: typeof ALLOW) => engine(result).execute(async () => 'ran', [], { action: 'tool' })
    expect(await call(ASK)).toBe('ran')
    nowMs = NOW_MS
    expect(await call(ALLOW)).toBe('ran')
    expect(await rejection(call(ASK))).toMatchObject({ code: 'CLOCK_BEHIND_LEDGER' })
    nowMs = NOW_MS + 3650 * 86_400_000
    expect(await call(ASK)).toBe('ran')
  })

  it('a ledger that rested for a year is no reason to refuse', async () => {
    let nowMs = NOW_MS
    const clock = () => new Date(nowMs)
    const options = { policy: policyOf(() => ASK), agentId: 'a', ledger: new MemoryLedger({ clock }), clock }
    const engine = new SudoEngine({ ...options, approver: { approve: () => true } })
    expect(await engine.execute(async () => 'ran', [], { action: 'tool' })).toBe('ran')
    nowMs += 365 * 86_400_000
    expect(await engine.execute(async () => 'ran', [], { action: 'tool' })).toBe('ran')
  })
})

describe('the arguments of open questions', () => {
  it('have a bound in bytes; beyond it calls are denied, and the charge is given back', async () => {
    let answer = (_: boolean): void => {}
    const answered = new Promise<boolean>((resolve) => {
      answer = resolve
    })
    let asked = 0
    const approver = {
      approve: () => {
        asked += 1
        return answered
      },
    }
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 1_000 })
    const b = boundary(ASK, { approver, budget })
    // Each character takes three bytes, and the limit is in bytes.
    const large = { text: '\u20ac'.repeat(250_000) }
    const room = Math.floor(OPEN_QUESTIONS_BYTES_MAX / 750_000)
    const calls = Array.from({ length: room + 20 }, () => b.tool(large))
    const denied = await Promise.allSettled(calls.slice(room))
    expect(denied.map((call) => (call.status === 'rejected' ? (call.reason as CallDenied).code : ''))).toEqual(
      Array.from({ length: 20 }, () => 'QUESTIONS_FULL'),
    )
    await expect.poll(() => asked).toBe(room)
    answer(true)
    await Promise.all(calls.slice(0, room))
    expect(b.tool.runs()).toBe(room)
    // The memory of the completed requests was released, and the denied calls did not reserve any memory.
    expect(await b.tool(large)).toBe('done')
    const next = { requestId: 'next', agentId: 'agent', action: 'tool', cost: 1_000 - room - 1 }
    expect(await budget.reserve(next, new Date())).toEqual({ allowed: true })
  })
})

describe('an engine that is opened', () => {
  it('begins its ledger: a day without a call verifies', async () => {
    const ledger = new MemoryLedger()
    await SudoEngine.open({ policy: policyOf(() => ALLOW), agentId: 'a', ledger })
    const b = boundary(ALLOW)
    expect(await b.entries()).toEqual([])
    const { verify } = await import('@sudoagent/ledger')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true, entries: 1, decisions: 0 })
  })

  it('takes a ledger without `begin`, and fails with one whose `begin` fails', async () => {
    const plain = { append: async () => Promise.reject(new Error('x')), close: async () => {} }
    const options = { policy: policyOf(() => ALLOW), agentId: 'a' }
    await SudoEngine.open({ ...options, ledger: plain })
    const begin = async () => Promise.reject(new LedgerError('KEY_REFUSED', 'no key was given'))
    const opening = SudoEngine.open({ ...options, ledger: { ...plain, begin } })
    expect(await rejection(opening)).toMatchObject({ code: 'KEY_REFUSED' })
    expect(await rejection(SudoEngine.open({} as never))).toBeInstanceOf(TypeError)
  })
})
