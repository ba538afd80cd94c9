// Tests guarded methods that use `this`, which the engine passes by reference. With `receiver: true`, the fields of
// `this` are part of the call.
import { describe, expect, it } from 'vitest'
import { ApprovalDenied, ParametersError } from '../../src/error.js'
import { ALLOW, ASK, boundary, DENY, policyOf, rejection } from '../fixtures/boundary.js'

class Account {
  owner = 'ada'
  limits = { daily: 5 }
  #secret = 1
  readonly paid: unknown[] = []
  password = 'hunter2hunter2'

  async pay(amount: unknown): Promise<string> {
    this.paid.push(amount)
    return `${this.#secret} ${String(amount)} to ${this.owner}`
  }
}

/** Guards the method `pay` of an account. `meanwhile` changes the account during the approval. */
function guarded(receiver: boolean, meanwhile: (account: Account) => void) {
  const account = new Account()
  const seen: unknown[] = []
  const b = boundary(ASK, {
    approver: {
      approve: ({ kwargs, args }) => {
        seen.push({ kwargs, args })
        meanwhile(account)
        return true
      },
    },
  })
  return { account, seen, b, pay: b.engine.guard(account.pay, { action: 'pay', receiver }).bind(account) }
}

describe('the receiver of a guarded method', () => {
  it('is on record, redacted, and shown to the approver', async () => {
    const { account, seen, b, pay } = guarded(true, () => {})
    expect(await pay({ amount: 5 })).toBe('1 [object Object] to ada')
    const state = { owner: 'ada', limits: { daily: 5 }, paid: [], password: '[redacted]' }
    expect(seen).toEqual([{ args: [], kwargs: { amount: 5, this: state } }])
    expect((await b.entries())[0]?.parameters).toEqual({ args: [], kwargs: { amount: 5, this: state } })
    expect(account.paid).toEqual([{ amount: 5 }])
  })

  it.each<[string, (account: Account) => void]>([
    ['a field', (account) => (account.owner = 'mallory')],
    ['a field of a field', (account) => (account.limits.daily = 9)],
    ['a new field', (account) => Object.assign(account, { to: 'mallory' })],
    ['a field that goes', (account) => Reflect.deleteProperty(account, 'owner')],
    ['an element of a list', (account) => account.paid.push('x')],
    [
      'a field that throws from now on',
      (account) => Object.defineProperty(account, 'owner', { get: () => expect.unreachable(), enumerable: true }),
    ],
  ])('does not run when it changed while somebody was asked: %s', async (_, change) => {
    const { account, b, pay } = guarded(true, change)
    const before = account.paid.length
    const error = await rejection(pay(5))
    expect(error).toBeInstanceOf(ApprovalDenied)
    expect(error).toMatchObject({ code: 'PARAMETERS_CHANGED' })
    expect(account.paid.filter((amount) => amount === 5)).toHaveLength(before)
    expect((await b.entries()).map(({ event }) => event)).toEqual(['decision'])
  })

  it('does not run when it changed while the decision was being written; the outcome says so', async () => {
    const account = new Account()
    const b = boundary(ALLOW)
    b.ledger.fault = () => {
      account.owner = 'mallory'
      return undefined
    }
    const error = await rejection(b.engine.guard(account.pay, { action: 'pay', receiver: true }).call(account, 5))
    expect(error).toMatchObject({ code: 'PARAMETERS_CHANGED' })
    expect(account.paid).toEqual([])
    expect((await b.entries()).map(({ event, outcome }) => outcome?.status ?? event)).toEqual(['decision', 'error'])
    expect(await b.report()).toMatchObject({ ok: true })
  })

  it('without the option it is neither recorded nor compared', async () => {
    const { b, pay } = guarded(false, (account) => (account.owner = 'mallory'))
    expect(await pay(5)).toBe('1 5 to mallory')
    expect((await b.entries())[0]?.parameters).toEqual({ args: [5], kwargs: {} })
  })

  it('a policy can decide about it, as a decorator too', async () => {
    const policy = policyOf(({ kwargs }) => ((kwargs.this as { owner?: unknown }).owner === 'ada' ? ALLOW : DENY))
    const b = boundary(policy)
    const decorate = b.engine.guarded({ action: 'pay', receiver: true })
    async function pay(this: { owner: string }): Promise<string> {
      return this.owner
    }
    const guardedPay = decorate(pay, { kind: 'method', name: 'pay' } as ClassMethodDecoratorContext)
    expect(await guardedPay.call({ owner: 'ada' })).toBe('ada')
    expect(await rejection(guardedPay.call({ owner: 'eve' }))).toMatchObject({ code: 'POLICY_DENY_HIGH_RISK' })
  })

  it.each<[string, unknown, unknown[]]>([
    ['there is none', undefined, []],
    ['it is a text', 'account', []],
    [
      'it contains itself',
      Object.assign(new Account(), {
        get self() {
          return this
        },
      }),
      [],
    ],
    ['it holds text that is not in NFC', { owner: '\u212a' }, []],
    ['an argument has its name', new Account(), [{ this: 1 }]],
  ])('is refused when %s', async (_, self, args) => {
    const b = boundary(ALLOW)
    const fn = b.engine.guard(async (..._given: unknown[]) => 'ran', { action: 'x', receiver: true })
    expect(await rejection(Reflect.apply(fn, self, args))).toBeInstanceOf(ParametersError)
    expect(await b.report()).toMatchObject({ ok: true, decisions: 1, outcomes: 0 })
  })

  it('the option is true or false', () => {
    expect(() => boundary(ALLOW).engine.guard(async () => {}, { action: 'x', receiver: 1 as never })).toThrow(TypeError)
  })
})
