// Tests approvals of guarded calls. Every test of a refusal also checks that the function did not run.
import { describe, expect, it, vi } from 'vitest'
import type { ApprovalRequest, ApprovalStore } from '../../src/approval/approval.js'
import { ImmediateApprover } from '../../src/approval/immediate.js'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { PollingApprover } from '../../src/approval/polling.js'
import { ApprovalDenied, ApprovalError } from '../../src/error.js'
import { ASK, boundary, expectDenied, rejection } from '../fixtures/boundary.js'

const yes = new ImmediateApprover(true, { approverId: 'alice' })
const no = new ImmediateApprover(false, { approverId: 'bob' })

describe('policy → require_approval', () => {
  it('approved, in time, bound: runs, with the approval block on record', async () => {
    const b = boundary(ASK, { approver: yes })
    expect(await b.tool({ amount: 1 })).toBe('done')
    const [decision] = await b.entries()
    expect(decision?.decision).toMatchObject({ effect: 'allow', reason_code: 'POLICY_REQUIRE_APPROVAL_HIGH_VALUE' })
    expect(decision?.approval).toMatchObject({
      state: 'approved',
      approver_id: 'alice',
      binding: {
        request_id: decision?.request_id,
        policy_hash: decision?.decision.policy_hash,
        decision_hash: decision?.decision.decision_hash,
      },
    })
    expect(await b.report()).toMatchObject({ ok: true, outcomes: 1 })
  })

  it.each<[string, string, string]>([
    ['a remark', 'above 10', 'above 10 [tool v2]'],
    ['a reason as long as one may be', 'r'.repeat(4_096), `${'r'.repeat(4_086)} [tool v2]`],
  ])('%s is shown behind the reason and is not on record', async (_, reason, shown) => {
    const asked: string[] = []
    const approver = {
      approve: (request: ApprovalRequest) => {
        asked.push(request.reason)
        return true
      },
    }
    const b = boundary({ ...ASK, reason }, { approver })
    await b.engine.execute((_: object) => 'done', [{ amount: 1 }], { action: 'refund', remark: 'tool v2' })
    expect(asked).toEqual([shown])
    const entries = await b.entries()
    expect(entries[0]?.decision.reason).toBe(reason)
    expect(JSON.stringify(entries)).not.toContain('tool v2')
  })

  it.each([[7], ['x'.repeat(257)], ['\ud800']])('a remark is a text of 256 characters: %j', async (remark) => {
    const b = boundary(ASK, { approver: yes })
    await expect(b.engine.execute(() => 'done', [], { action: 'refund', remark: remark as string })).rejects.toThrow(
      /remark/,
    )
    expect(await b.entries()).toEqual([])
  })

  it('refused', async () => {
    const b = boundary(ASK, { approver: no })
    const error = await rejection(b.tool({ amount: 1 }))
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'APPROVAL_DENIED')
    expect((await b.entries())[0]?.approval).toMatchObject({ state: 'denied', approver_id: 'bob' })
  })

  it('what the policy had said stays on record when a later step refuses, and only then', async () => {
    const said = { ...ASK, reasonCode: 'RULE_7' }
    const refused = boundary(said, { approver: no })
    await rejection(refused.tool())
    expect((await refused.entries())[0]?.metadata).toEqual({
      policy_result: { decision: 'require_approval', reason: 'look at it', reason_code: 'RULE_7' },
    })
    const approved = boundary(said, { approver: yes })
    await approved.tool()
    expect((await approved.entries())[0]).toMatchObject({ metadata: {}, decision: { reason_code: 'RULE_7' } })
    const denied = boundary({ decision: 'deny', reason: 'never', reasonCode: 'RULE_8' })
    await rejection(denied.tool())
    expect((await denied.entries())[0]).toMatchObject({ metadata: {}, decision: { reason_code: 'RULE_8' } })
  })

  it('expired while nobody answers', async () => {
    const b = boundary(ASK, { approver: { approve: () => new Promise<never>(() => {}) }, approvalTtlMs: 30 })
    await expectDenied(b, await rejection(b.tool()), 'APPROVAL_EXPIRED')
    expect((await b.entries())[0]?.approval?.state).toBe('expired')
  })

  it('expired while a polling approver waits for somebody else to answer', async () => {
    const b = boundary(ASK, { approver: new PollingApprover({ intervalMs: 10 }), approvalTtlMs: 40 })
    await expectDenied(b, await rejection(b.tool()), 'APPROVAL_EXPIRED')
    expect((await b.entries())[0]?.approval).toMatchObject({ state: 'expired', approver_id: null })
  })

  it('expired: an answer that comes after the deadline by the clock does not count', async () => {
    let ms = Date.UTC(2026, 0, 1)
    const late = {
      approve: async () => {
        ms += 600_000
        return true
      },
    }
    const b = boundary(ASK, { approver: late, clock: () => new Date(ms) })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'APPROVAL_EXPIRED')
    expect((await b.entries())[0]?.approval?.state).toBe('expired')
  })

  it.each(['requestId', 'policyHash', 'decisionHash'] as const)('the binding does not match: %s', async (field) => {
    const other = {
      requestId: '00000000-0000-4000-8000-000000000000',
      policyHash: 'a'.repeat(64),
      decisionHash: 'b'.repeat(64),
    }
    const b = boundary(ASK, {
      approver: { approve: ({ binding }) => ({ approved: true, binding: { ...binding, [field]: other[field] } }) },
    })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'APPROVAL_DENIED')
  })

  it('an approval that was used already does not count again', async () => {
    const store = new MemoryApprovalStore()
    const b = boundary(ASK, {
      approvalStore: store,
      approver: {
        approve: async ({ approvalId, binding }) => {
          await store.resolve(approvalId, { state: 'approved', approverId: 'alice' }, new Date())
          await store.consume(approvalId, binding, new Date())
          return true
        },
      },
    })
    // The store has the approval as used, and the ledger has the question as open: one of them is an older copy.
    await expectDenied(b, await rejection(b.tool()), 'APPROVAL_PROCESS_FAILED')
    expect(b.faults).toMatchObject([{ stage: 'approval', error: { code: 'LEDGER_DAMAGED' } }])
  })

  it.each([
    ['throws', { approve: () => Promise.reject(new Error('slack is down')) }],
    [
      'throws at once',
      {
        approve: () => {
          throw new Error('no')
        },
      },
    ],
    ['answers nonsense', { approve: () => 'yes' as unknown as boolean }],
    ['answers a truthy field', { approve: () => ({ approved: 1 }) as unknown as boolean }],
    ['answers nothing', { approve: () => undefined as unknown as boolean }],
  ])('the approver %s', async (_, approver) => {
    const b = boundary(ASK, { approver })
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalError)
    expect((error as Error).cause).toBeInstanceOf(Error)
    await expectDenied(b, error, 'APPROVAL_PROCESS_FAILED')
    expect((await b.entries())[0]?.approval?.state).toBe('failed')
  })

  it.each([
    ['create', 'asked'],
    ['resolve', 'asked'],
    ['create', 'older'],
    ['resolve', 'older'],
    ['consume', 'older'],
  ] as const)('the approval store fails in %s: %s form', async (method, form) => {
    const store = new MemoryApprovalStore()
    vi.spyOn(store, method).mockRejectedValue(new Error('store is down'))
    const b = boundary(ASK, { approver: yes, approvalStore: store }, form)
    const error = await rejection(b.tool())
    expect(error).toBeInstanceOf(ApprovalError)
    await expectDenied(b, error, 'APPROVAL_PROCESS_FAILED')
  })

  it('a store that cannot follow a decision does not stop the call: the ledger has the use', async () => {
    const store = new MemoryApprovalStore()
    vi.spyOn(store, 'consume').mockRejectedValue(new Error('store is down'))
    const b = boundary(ASK, { approver: yes, approvalStore: store })
    expect(await b.tool()).toBe('done')
    expect(b.faults).toMatchObject([{ stage: 'approval', error: { message: 'store is down' } }])
  })

  it.each([
    ['resolve', 'asked'],
    ['consume', 'older'],
  ] as const)(
    'a store that returns the approval of another call in %s does not let it run: %s form',
    async (method, form) => {
      const store = new MemoryApprovalStore()
      const original = store[method].bind(store) as ApprovalStore['consume']
      const another = async (id: string, how: never, now: Date) => ({
        ...(await original(id, how, now)),
        approvalId: 'another',
      })
      vi.spyOn(store, method).mockImplementation(another as never)
      const b = boundary(ASK, { approver: yes, approvalStore: store }, form)
      await expectDenied(b, await rejection(b.tool()), 'APPROVAL_DENIED')
    },
  )

  it('without a terminal the default approver denies and does not hang', async () => {
    const b = boundary(ASK)
    await expectDenied(b, await rejection(b.tool()), 'APPROVAL_DENIED')
  })

  it('an AbortSignal ends the wait, and closes the request for the approver', async () => {
    const controller = new AbortController()
    const store = new MemoryApprovalStore()
    let silenced = false
    const b = boundary(ASK, {
      approvalStore: store,
      approver: {
        approve: (_, { signal }) => {
          signal.addEventListener('abort', () => (silenced = true))
          setTimeout(() => controller.abort(new Error('user left')), 10)
          return new Promise<never>(() => {})
        },
      },
    })
    let runs = 0
    const error = await rejection(
      b.engine.execute(() => (runs += 1), [], { action: 'tool', signal: controller.signal }),
    )
    expect(error).toBeInstanceOf(ApprovalDenied)
    expect([runs, silenced]).toEqual([0, true])
    await expectDenied(b, error, 'CALL_CANCELLED')
    expect(await store.list({ state: 'pending' }, new Date())).toEqual([])
  })

  it('a signal that was aborted before means that nothing is asked', async () => {
    const b = boundary(ASK, { approver: yes })
    const reason = new Error('gone')
    const signal = AbortSignal.abort(reason)
    expect(await rejection(b.engine.execute(b.tool, [], { action: 'tool', signal }))).toBe(reason)
    expect([b.tool.runs(), (await b.entries()).length]).toEqual([0, 0])
  })
})
