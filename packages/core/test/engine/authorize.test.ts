// The boundary's behaviour, case by case: authorize. Every case that fails closed proves that the function did not
// run.
import { describe, expect, it } from 'vitest'
import { ImmediateApprover } from '../../src/approval/immediate.js'
import { SudoEngine } from '../../src/engine.js'
import { AuditLogError } from '../../src/error.js'
import { ALLOW, boundary, DENY, policyOf, rejection } from '../fixtures/boundary.js'

const yes = new ImmediateApprover(true, { approverId: 'alice' })

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

  it('throws where there is no decision to speak of', async () => {
    const b = boundary(ALLOW)
    b.ledger.fault = () => 'before'
    expect(await rejection(b.engine.authorize({ action: 'tool' }))).toBeInstanceOf(AuditLogError)
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
    ['a ttl beyond an hour', { ...options, approvalTtlMs: 3_600_001 }, /approvalTtlMs/],
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
