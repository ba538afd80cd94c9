import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { ApprovalDenied } from '../src/error.js'
import { ALLOW, boundary, DENY, rejection } from './fixtures/boundary.js'

describe('guard', () => {
  it('keeps the type of a function that returns a promise, and makes a promise of another', () => {
    const { engine } = boundary(ALLOW)
    const generic = async <T>(value: T): Promise<T> => value
    // The type test cannot compare conditional types over a generic function. The annotation is the test instead,
    // because it does not compile if the type is lost.
    const guarded: typeof generic = engine.guard(generic, { action: 'generic' })
    expectTypeOf(guarded<'x'>).returns.toEqualTypeOf<Promise<'x'>>()
    const sync = engine.guard((a: number, b?: string) => `${a}${b}`, { action: 'sync' })
    expectTypeOf(sync).parameters.toEqualTypeOf<[a: number, b?: string]>()
    expectTypeOf(sync).returns.toEqualTypeOf<Promise<string>>()
  })

  it('keeps name and length', () => {
    const { engine } = boundary(ALLOW)
    const guarded = engine.guard(async function refund(_a: number, _b: number) {})
    expect([guarded.name, guarded.length]).toEqual(['refund', 2])
  })

  it("takes the function's name as the action, bound functions included", async () => {
    const b = boundary(ALLOW)
    async function refund() {}
    await b.engine.guard(refund)()
    await b.engine.guard(refund.bind(null))()
    expect((await b.entries()).map(({ action }) => action)).toEqual(['refund', 'refund', 'refund', 'refund'])
  })

  it('warns of a name of one or two characters, which a minifier may have made, unless it is given as the action', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { engine } = boundary(ALLOW)
    const named = (name: string) => ({ [name]: async () => {} })[name] as () => Promise<void>
    for (const name of ['i', 'i', '$e', 'pay']) engine.guard(named(name))
    engine.guard(named('q').bind(null))
    engine.guard(named('z'), { action: 'ls' })
    expect(
      warn.mock.calls.map(
        ([message]) =>
          /the action `(\S+)` seems to be a function name that a minifier changed/.exec(String(message))?.[1],
      ),
    ).toEqual(['i', '$e', 'q'])
    expect(warn).toHaveBeenCalledWith(expect.anything(), { code: 'SUDOAGENT_ACTION_NAME' })
    warn.mockRestore()
  })

  it('refuses an anonymous function without an action', () => {
    const { engine } = boundary(ALLOW)
    expect(() => engine.guard(async () => {})).toThrow(TypeError)
    expect(() => engine.guard(undefined as never)).toThrow(TypeError)
  })

  it("uses a call's own policy instead of the engine's", async () => {
    const b = boundary(ALLOW)
    let runs = 0
    const strict = b.engine.guard(async () => (runs += 1), {
      action: 'x',
      policy: { policyId: 'strict', evaluate: () => DENY },
    })
    expect(await rejection(strict())).toBeInstanceOf(ApprovalDenied)
    expect(runs).toBe(0)
    expect((await b.entries())[0]?.decision.policy_id).toBe('strict')
  })

  it('puts one plain object into kwargs, anything else into args', async () => {
    const b = boundary(ALLOW)
    await b.tool({ amount: 1 })
    await b.tool('a', { b: 2 })
    await b.tool([1])
    const parameters = (await b.entries()).filter(({ event }) => event === 'decision').map((entry) => entry.parameters)
    expect(parameters).toEqual([
      { args: [], kwargs: { amount: 1 } },
      { args: ['a', { b: 2 }], kwargs: {} },
      { args: [[1]], kwargs: {} },
    ])
  })
})

describe('the method decorator', () => {
  it('guards a method, as a standard decorator', async () => {
    const b = boundary(ALLOW)
    class Account {
      balance = 10
      async withdraw(amount: number): Promise<number> {
        this.balance -= amount
        return this.balance
      }
    }
    const context = { kind: 'method', name: 'withdraw' } as ClassMethodDecoratorContext
    const guarded = b.engine.guarded()(Account.prototype.withdraw, context)
    expect(await guarded.call(new Account(), 3)).toBe(7)
    expect((await b.entries())[0]?.action).toBe('withdraw')
  })

  it('guards a method, as a legacy decorator', async () => {
    const b = boundary(DENY)
    let runs = 0
    class Account {
      async withdraw(): Promise<void> {
        runs += 1
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Account.prototype, 'withdraw') as PropertyDescriptor
    b.engine.guarded({ action: 'account.withdraw' })(Account.prototype, 'withdraw', descriptor)
    Object.defineProperty(Account.prototype, 'withdraw', descriptor)
    expect(await rejection(new Account().withdraw())).toBeInstanceOf(ApprovalDenied)
    expect([runs, (await b.entries())[0]?.action]).toEqual([0, 'account.withdraw'])
  })

  it('refuses what is no method', () => {
    const { engine } = boundary(ALLOW)
    expect(() => engine.guarded()((async () => {}) as never, { kind: 'field', name: 'x' } as never)).toThrow(TypeError)
    expect(() => engine.guarded()({}, 'x', {} as never)).toThrow(TypeError)
  })
})
