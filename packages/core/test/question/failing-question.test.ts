// Tests questions that the ledger cannot record, or may have recorded: the function does not run, and the charge is
// kept unless a denial is recorded.
import { LedgerError } from '@sudoagent/ledger'
import { describe, expect, it, vi } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { AuditLogError } from '../../src/error.js'
import { ASK, boundary, expectDenied, olderLedger, policyOf, rejection } from '../fixtures/boundary.js'

const oneUnit = () => new MemoryBudget({ windowMs: 60_000, perAgent: 1 })

/** An engine whose approver approves and counts. */
function counted(options: Parameters<typeof boundary>[1] = {}) {
  let asked = 0
  const approver = {
    approve: () => {
      asked += 1
      return true
    },
  }
  return { b: boundary(ASK, { approver, ...options }), asked: () => asked }
}

describe('the ledger cannot record a question', () => {
  it.each(['before', 'after'] as const)(
    'it fails %s the entry is stored: nobody is asked, the charge is kept',
    async (when) => {
      const { b, asked } = counted({ budget: oneUnit() })
      const { inner } = b.ledger
      const failing = vi.spyOn(b.ledger, 'ask').mockImplementation(async (question, options) => {
        if (when === 'after') await inner.ask(question, options)
        throw new Error('connection lost at /var/lib/ledger')
      })
      const error = await rejection(b.tool())
      expect(error).toBeInstanceOf(AuditLogError)
      expect(error).toMatchObject({ code: 'LEDGER_WRITE_FAILED_DECISION', denial: { retryable: true } })
      failing.mockRestore()
      expect(await rejection(b.tool())).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
      expect([asked(), b.tool.runs()]).toEqual([0, 0])
      expect(await b.report()).toMatchObject({ ok: true, questions: { open: when === 'after' ? 1 : 0 } })
    },
  )

  it('it never answers: the call ends after the time limit', async () => {
    const { b, asked } = counted({ timeoutMs: 30, budget: oneUnit() })
    vi.spyOn(b.ledger, 'ask').mockReturnValue(new Promise(() => {}))
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect(await rejection(b.tool())).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
    expect([asked(), b.tool.runs()]).toEqual([0, 0])
  })

  it.each([undefined, null, {}, { position: 2 }, { position: '2' }])('it answers %j: the call ends', async (entry) => {
    const { b, asked } = counted()
    vi.spyOn(b.ledger, 'ask').mockResolvedValue(entry as never)
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    expect([asked(), b.tool.runs(), await b.entries()]).toEqual([0, 0, []])
  })

  it.each(['KEY_REFUSED', 'LEDGER_FINISHED', 'LEDGER_DAMAGED', 'LEDGER_CLOSED'] as const)(
    'it takes nothing more from this writer (%s): not retryable, and `onError` is told',
    async (code) => {
      const { b } = counted()
      b.ledger.askFault = new LedgerError(code, 'no')
      const error = await rejection(b.tool())
      expect(error).toBeInstanceOf(AuditLogError)
      expect(error).toMatchObject({ denial: { code: 'LEDGER_WRITE_FAILED_DECISION', retryable: false } })
      expect(b.faults).toMatchObject([{ stage: 'decision', error: { code } }])
    },
  )

  it.each(['LEDGER_BUSY', 'LEDGER_WRITE_FAILED'] as const)('it failed this once (%s): retryable', async (code) => {
    const { b } = counted()
    b.ledger.askFault = new LedgerError(code, 'no')
    expect(await rejection(b.tool())).toMatchObject({ denial: { retryable: true } })
    expect(b.faults).toEqual([])
  })

  it.each(['STOPPED', 'QUESTIONS_FULL', 'CLOCK_BEHIND_LEDGER'] as const)(
    'it refuses the question (%s): the denial is recorded without an approval, and the charge is given back',
    async (code) => {
      const { b, asked } = counted({ budget: oneUnit() })
      b.ledger.askFault = new LedgerError(code, 'no')
      await expectDenied(b, await rejection(b.tool()), code)
      expect((await b.entries())[0]?.approval).toBeNull()
      b.ledger.askFault = undefined
      expect(await b.tool()).toBe('done')
      expect(asked()).toBe(1)
    },
  )

  it('it refuses the entry: an internal error is recorded, not an expiry', async () => {
    const { b } = counted()
    b.ledger.askFault = new LedgerError('ENTRY_REFUSED', 'no')
    await expectDenied(b, await rejection(b.tool()), 'BOUNDARY_FAILED')
    expect((await b.entries())[0]?.approval).toBeNull()
  })
})

it('the approval store says that a new question is approved: the approver is asked nevertheless', async () => {
  const approvalStore = new MemoryApprovalStore()
  const create = approvalStore.create.bind(approvalStore)
  approvalStore.create = async (...given) => {
    await create(...given)
    return await approvalStore.resolve(given[0].approvalId, { state: 'approved', approverId: 'nobody' }, given[1])
  }
  let asked = 0
  const approver = {
    approve: () => {
      asked += 1
      return false
    },
  }
  const { b } = counted({ approvalStore, approver })
  expect(await rejection(b.tool())).toMatchObject({ denial: { status: 'denied' } })
  expect([asked, b.tool.runs()]).toEqual([1, 0])
})

describe('the ledger cannot record the decision of a question', () => {
  it.each(['before', 'after', 'hang'] as const)(
    'it fails (%s): the call does not run, and its charge is kept',
    async (when) => {
      const { b, asked } = counted({ budget: oneUnit(), timeoutMs: 500 })
      b.ledger.fault = (_, nth) => (nth === 1 ? when : undefined)
      expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
      expect(await rejection(b.tool('another'))).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
      expect([asked(), b.tool.runs()]).toEqual([1, 0])
      expect(await b.report()).toMatchObject({ ok: true, questions: { open: when === 'after' ? 0 : 1 } })
      // The repeated call uses the approval only if the decision is not recorded.
      const again = b.tool()
      if (when === 'after') expect(await rejection(again)).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
      else expect(await again).toBe('done')
      expect([asked(), b.tool.runs()]).toEqual([1, when === 'after' ? 0 : 1])
      expect(await b.report()).toMatchObject({ ok: true, questions: { open: 0 } })
    },
  )

  it('it refuses the allow, and the denial is recorded: the charge is given back', async () => {
    const { b } = counted({ budget: oneUnit() })
    const append = b.ledger.append.bind(b.ledger)
    const refusing = vi.spyOn(b.ledger, 'append').mockImplementation(async (draft, options) => {
      if (draft.decision.effect === 'allow') throw new LedgerError('ENTRY_REFUSED', 'no')
      return await append(draft, options)
    })
    await expectDenied(b, await rejection(b.tool()), 'BOUNDARY_FAILED')
    refusing.mockRestore()
    expect(await b.tool()).toBe('done')
  })

  it('it refuses both: the caller is not told that the question expired, and the charge is kept', async () => {
    const { b } = counted({ budget: oneUnit() })
    const refusing = vi.spyOn(b.ledger, 'append').mockRejectedValue(new LedgerError('ENTRY_REFUSED', 'no'))
    expect(await rejection(b.tool())).toBeInstanceOf(AuditLogError)
    refusing.mockRestore()
    expect(await rejection(b.tool('another'))).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE' })
    expect(b.tool.runs()).toBe(0)
  })
})

describe('the time limit of an approval', () => {
  const HOUR_MS = 3_600_000
  const WEEK_MS = 7 * 86_400_000

  it('is at most an hour for one call, and 7 days by the option of the engine', async () => {
    const { b } = counted({ approvalTtlMs: WEEK_MS })
    expect(await b.tool()).toBe('done')
    for (const approvalTtlMs of [HOUR_MS + 1, WEEK_MS])
      await expect(b.engine.execute(() => 1, [], { action: 'tool', approvalTtlMs })).rejects.toThrow(RangeError)
    expect(() => counted({ approvalTtlMs: WEEK_MS + 1 })).toThrow(RangeError)
  })

  it('is at most an hour for a ledger that does not record questions', () => {
    const { b } = counted()
    const ledger = olderLedger(b.ledger)
    expect(() => counted({ ledger, approvalTtlMs: HOUR_MS + 1 })).toThrow(TypeError)
    expect(() => counted({ ledger, approvalTtlMs: HOUR_MS })).not.toThrow()
  })

  it('counts from the entry of the question, also where the clock of the ledger is ahead', async () => {
    let nowMs = Date.UTC(2027, 0, 1)
    const { b } = counted({ clock: () => new Date(nowMs), approvalTtlMs: 60_000 })
    expect(await b.tool()).toBe('done')
    nowMs -= 50_000
    expect(await b.tool()).toBe('done')
    expect((await b.report()).ok).toBe(true)
  })
})

describe('the older form', () => {
  it('has the members that it had, and no question', async () => {
    const approver = { approve: () => ({ approved: true, approverId: 'alice' }) }
    const b = boundary(
      policyOf(() => ({ ...ASK, ruleId: 'r' })),
      { approver },
      'older',
    )
    expect(await b.tool()).toBe('done')
    const approval = (await b.entries())[0]?.approval ?? {}
    expect(Object.keys(approval)).toEqual([
      'approval_id',
      'approver_id',
      'binding',
      'created_at',
      'expires_at',
      'resolved_at',
      'state',
    ])
    expect(await b.report()).toMatchObject({ ok: true, entries: 3 })
  })
})
