// Tests policies for guarded calls. Every test of a refusal also checks that the function did not run.
import { describe, expect, it } from 'vitest'
import { ApprovalDenied, PolicyError } from '../../src/error.js'
import { ALLOW, boundary, DENY, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'

describe('policy → allow', () => {
  it('records the decision before the function runs and the outcome after it, and returns the result unchanged', async () => {
    const b = boundary(ALLOW)
    const seen: number[] = []
    const result = { answer: 42 }
    const fn = b.engine.guard(
      async () => {
        seen.push((await b.entries()).length)
        return result
      },
      { action: 'compute' },
    )
    expect(await fn()).toBe(result)
    expect(seen).toEqual([1])
    const [decision, outcome] = await b.entries()
    expect(decision?.decision).toMatchObject({ effect: 'allow', reason: 'fine', reason_code: 'POLICY_ALLOW_LOW_RISK' })
    expect(outcome?.outcome).toEqual({
      status: 'success',
      reason: 'fine',
      reason_code: 'POLICY_ALLOW_LOW_RISK',
      error: null,
      error_type: null,
    })
    expect(outcome?.request_id).toBe(decision?.request_id)
    expect(await b.report()).toMatchObject({ ok: true, decisions: 1, outcomes: 1, open: 0 })
    expect(b.audit.records.map(({ event }) => event)).toEqual(['decision', 'outcome'])
  })

  it("passes the function's own error on unchanged, and records it without paths or secrets", async () => {
    const b = boundary(ALLOW)
    const own = new RangeError('cannot open /etc/passwd with token sk-abc1234567890 in C:\\secrets\\key.pem')
    const error = await rejection(b.engine.execute(() => Promise.reject(own), [], { action: 'fail' }))
    expect(error).toBe(own)
    const [, outcome] = await b.entries()
    expect(outcome?.outcome).toMatchObject({ status: 'error', error_type: 'RangeError' })
    expect(outcome?.outcome?.error).not.toMatch(/passwd|sk-abc|secrets/)
  })

  it('takes sync, async and promise-returning functions, and keeps `this`', async () => {
    const b = boundary(ALLOW)
    expect(await b.engine.guard((a: number, c: number) => a + c, { action: 'add' })(1, 2)).toBe(3)
    expect(await b.engine.guard((a: number) => Promise.resolve(a), { action: 'id' })(7)).toBe(7)
    const own = new Error('sync')
    const throws = b.engine.guard(
      () => {
        throw own
      },
      { action: 'throws' },
    )
    expect(await rejection(throws())).toBe(own)
    const account = {
      balance: 5,
      read: b.engine.guard(async function read(this: { balance: number }) {
        return this.balance
      }),
    }
    expect(await account.read()).toBe(5)
  })

  it('does not let a function that throws undefined or a hostile error break the record', async () => {
    const b = boundary(ALLOW)
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('gotcha')
      },
    })
    for (const thrown of [undefined, null, 'text', hostile, Symbol('s')]) {
      expect(await rejection(b.engine.execute(() => Promise.reject(thrown), [], { action: 'fail' }))).toBe(thrown)
    }
    expect(await b.report()).toMatchObject({ ok: true, outcomes: 5, open: 0 })
  })
})

describe('policy → deny', () => {
  it('denies with ApprovalDenied', async () => {
    const b = boundary(DENY)
    const error = await rejection(b.tool({ amount: 1 }))
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'POLICY_DENY_HIGH_RISK')
  })

  it("carries the policy's own reason code", async () => {
    const b = boundary({ ...DENY, reasonCode: 'TABLE_NOT_LISTED' })
    await expectDenied(b, await rejection(b.tool()), 'TABLE_NOT_LISTED')
  })
})

describe('policy fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('bug at /srv/policy.ts')
      },
    ],
    ['rejects', () => Promise.reject(new Error('bug'))],
    ['returns nothing', () => undefined],
    ['returns true', () => true],
    ['returns an unknown decision', () => ({ decision: 'ALLOW', reason: 'x' })],
    ['returns an array', () => ['allow']],
    ['returns no reason', () => ({ decision: 'allow' })],
    ['returns unknown fields', () => ({ ...ALLOW, effect: 'deny' })],
    [
      'lies to the second look',
      () => {
        let looks = 0
        return {
          reason: 'x',
          get decision() {
            looks += 1
            return looks === 1 ? 'nonsense' : 'allow'
          },
        }
      },
    ],
  ])('%s', async (_, evaluate) => {
    const b = boundary(policyOf(evaluate as never))
    const error = await rejection(b.tool({ amount: 1 }))
    expect(error).toBeInstanceOf(PolicyError)
    expect((error as Error).cause).toBeInstanceOf(Error)
    await expectDenied(b, error, 'POLICY_EVALUATION_FAILED')
    expect(JSON.stringify((await b.entries())[0]?.metadata)).not.toContain('/srv')
  })

  it('never answers', async () => {
    const b = boundary(
      policyOf(() => new Promise<never>(() => {})),
      { timeoutMs: 30 },
    )
    await expectDenied(b, await rejection(b.tool()), 'POLICY_EVALUATION_FAILED')
  })

  it('cannot change what it was shown', async () => {
    const b = boundary(
      policyOf(({ kwargs }) => {
        ;(kwargs as { amount: number }).amount = 1
        return ALLOW
      }),
    )
    await expectDenied(b, await rejection(b.tool({ amount: 10 })), 'POLICY_EVALUATION_FAILED')
  })

  it('is the one that was given, even if the object is changed later', async () => {
    const policy = policyOf(() => DENY)
    const b = boundary(policy)
    policy.evaluate = () => ALLOW
    await expectDenied(b, await rejection(b.tool()), 'POLICY_DENY_HIGH_RISK')
  })
})
