// Tests `authorize`. Every test of a refusal also checks that the function did not run.
import { describe, expect, it } from 'vitest'
import { ImmediateApprover } from '../../src/approval/immediate.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { SudoEngine } from '../../src/engine.js'
import { CallDenied } from '../../src/error.js'
import type { EngineOptions } from '../../src/options.js'
import { ALLOW, ASK, type Boundary, boundary, DENY, olderLedger, policyOf, rejection } from '../fixtures/boundary.js'

const yes = new ImmediateApprover(true, { approverId: 'alice' })

const fails = (): never => {
  throw new Error('broken')
}

/** For each of the engine's own codes, one configuration that causes it. */
const REFUSALS: [code: string, options: Partial<EngineOptions>, before?: (b: Boundary) => void][] = [
  ['POLICY_EVALUATION_FAILED', { policy: policyOf(fails) }],
  ['APPROVAL_DENIED', { policy: policyOf(() => ASK), approver: new ImmediateApprover(false), onConcealed: 'allow' }],
  ['APPROVAL_PROCESS_FAILED', { policy: policyOf(() => ASK), approver: { approve: fails }, onConcealed: 'allow' }],
  [
    'BUDGET_EVALUATION_FAILED',
    {
      budget: Object.assign(new MemoryBudget({ windowMs: 1000, perAgent: 9 }), { reserve: fails }),
      onConcealed: 'allow',
    },
  ],
  ['BUDGET_EXCEEDED_AGENT_RATE', { budget: new MemoryBudget({ windowMs: 1000, perAgent: 0 }), onConcealed: 'allow' }],
  ['PARAMETERS_INVALID', {}],
  ['ARGUMENTS_CONCEALED', {}],
  [
    'LEDGER_WRITE_FAILED_DECISION',
    { onConcealed: 'allow' },
    (b) => {
      b.ledger.fault = () => 'before'
    },
  ],
  ['BOUNDARY_FAILED', { clock: fails }],
  ['BOUNDARY_FAILED', { generateId: fails }],
]

describe('authorize and record', () => {
  it('gives an authorization with the arguments that were decided on, and takes one outcome', async () => {
    const b = boundary(ALLOW)
    const authorization = await b.engine.authorize({ action: 'tool', args: [{ amount: 1 }] })
    if (authorization.status !== 'allowed') throw new Error('not allowed')
    expect(authorization).toMatchObject({ position: 2, args: [{ amount: 1 }] })
    expect(await b.report()).toMatchObject({ open: 1 })
    expect(await b.engine.record(authorization, { status: 'success' })).toBe(true)
    await expect(b.engine.record(authorization, { status: 'success' })).rejects.toThrow(TypeError)
    expect(await b.report()).toMatchObject({ ok: true, outcomes: 1, open: 0 })
  })

  it('gives a denial as a value', async () => {
    const b = boundary(DENY)
    expect(await b.engine.authorize({ action: 'tool' })).toMatchObject({
      status: 'denied',
      code: 'POLICY_DENY_HIGH_RISK',
      retryable: false,
    })
  })

  it.each(REFUSALS)('gives a denial for every kind of refusal: %s', async (code, options, before) => {
    const b = boundary(ALLOW, options)
    before?.(b)
    const args = code === 'PARAMETERS_INVALID' ? [Number.NaN] : [{ text: 'sk_live_4eC39HqLyjWDarjtT1zdp7dc' }]
    const answer = await b.engine.authorize({ action: 'tool', args })
    expect(answer).toMatchObject({ status: 'denied', code })
    await expect(b.engine.record(answer as never, { status: 'success' })).rejects.toThrow(TypeError)
    await expect(b.engine.recordResult(answer as never, 'done')).rejects.toThrow(TypeError)
    const error = await rejection(b.tool(...args))
    expect(error).toBeInstanceOf(CallDenied)
    expect(error).toMatchObject({ code, action: 'tool', denial: { status: 'denied', code } })
    expect((error as CallDenied).requestId).toBe((error as CallDenied).denial.requestId)
    expect((error as CallDenied).hint).toMatch(/\w/)
    expect(b.tool.runs()).toBe(0)
  })

  it('tells `onError` why, where neither the denial nor the record can say it', async () => {
    const b = boundary(ALLOW)
    b.ledger.fault = () => 'before'
    expect(await b.engine.authorize({ action: 'tool' })).toMatchObject({ code: 'LEDGER_WRITE_FAILED_DECISION' })
    expect(b.faults).toMatchObject([{ stage: 'decision', error: { message: expect.stringContaining('disk on fire') } }])
  })

  it('throws for misuse, and what the caller aborted with', async () => {
    const b = boundary(ALLOW)
    await expect(b.engine.authorize({ acton: 'tool' } as never)).rejects.toThrow(TypeError)
    const why = new Error('gone')
    await expect(b.engine.authorize({ action: 'tool', signal: AbortSignal.abort(why) })).rejects.toBe(why)
  })

  it('takes no outcome for a forged authorization or one of another engine', async () => {
    const [one, two] = [boundary(ALLOW), boundary(ALLOW)]
    const authorization = await one.engine.authorize({ action: 'tool' })
    await expect(two.engine.record(authorization as never, { status: 'success' })).rejects.toThrow(TypeError)
    await expect(one.engine.record({ ...authorization } as never, { status: 'success' })).rejects.toThrow(TypeError)
    expect(await one.report()).toMatchObject({ outcomes: 0 })
  })
})

describe('construction', () => {
  const options = { policy: policyOf(() => ALLOW), agentId: 'agent', ledger: boundary(ALLOW).ledger }

  it.each([
    ['no policy', { ...options, policy: undefined }, /policy/],
    ['a policy that is a function', { ...options, policy: () => ALLOW }, /policy/],
    ['an empty agent id', { ...options, agentId: '' }, /agentId/],
    ['no ledger', { ...options, ledger: undefined }, /ledger/],
    ['a ledger that cannot append', { ...options, ledger: {} }, /append/],
    ['a misspelt option', { ...options, approvers: yes }, /approver`\?/],
    ['a ttl beyond 7 days', { ...options, approvalTtlMs: 604_800_001 }, /approvalTtlMs/],
    [
      'a ttl beyond an hour for a ledger without questions',
      { ...options, ledger: olderLedger(options.ledger), approvalTtlMs: 3_600_001 },
      /approvalTtlMs.*questions/,
    ],
    ['a policy hash that is none', { ...options, policy: { ...options.policy, policyHash: 'x' } }, /policyHash/],
    ['a policy without a name', { ...options, policy: { evaluate: () => ALLOW } }, /policyId/],
  ])('%s', (_, wrong, message) => {
    expect(() => new SudoEngine(wrong as never)).toThrow(message)
  })

  it.each([
    ['a misspelt option', { acton: 'x' }, /action`\?/],
    ['a cost without a budget', { budgetCost: 1 }, /budget/],
    ['a signal that is none', { signal: {} }, /signal/],
    ['a ttl of 0', { approvalTtlMs: 0 }, /approvalTtlMs/],
  ])('call options: %s', (_, wrong, message) => {
    expect(() => new SudoEngine(options).guard(async function tool() {}, wrong as never)).toThrow(message)
  })
})
