// Tests the arguments of guarded calls. Every test of a refusal also checks that the function did not run.
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { ApprovalDenied, ParametersError } from '../../src/error.js'
import { ALLOW, ASK, boundary, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'

describe('arguments', () => {
  it('changed while an approval was open', async () => {
    const order = { amount: 10, items: [{ sku: 'a' }] }
    const b = boundary(ASK, {
      approver: {
        approve: async () => {
          order.amount = 10_000
          return true
        },
      },
    })
    const error = await rejection(b.tool(order))
    expect(error).toBeInstanceOf(ApprovalDenied)
    await expectDenied(b, error, 'PARAMETERS_CHANGED')
    expect((await b.entries())[0]?.parameters?.kwargs).toEqual({ amount: 10, items: [{ sku: 'a' }] })
  })

  it('a getter that gives another value each time', async () => {
    let reads = 0
    const b = boundary(ALLOW)
    await expectDenied(
      b,
      await rejection(
        b.tool({
          get amount() {
            reads += 1
            return reads
          },
        }),
      ),
      'PARAMETERS_CHANGED',
    )
  })

  it('a proxy that lies to the second look', async () => {
    let reads = 0
    const lying = new Proxy(
      { amount: 1 },
      {
        get: (target, key) => {
          reads += 1
          return key === 'amount' ? reads : Reflect.get(target, key)
        },
      },
    )
    const b = boundary(ALLOW)
    await expectDenied(b, await rejection(b.tool(lying)), 'PARAMETERS_CHANGED')
  })

  it('changed in the arguments array itself, through the rest parameter of execute', async () => {
    const args: [unknown] = ['small']
    const b = boundary(ASK, {
      approver: {
        approve: async () => {
          args[0] = 'large'
          return true
        },
      },
    })
    let runs = 0
    const error = await rejection(b.engine.execute((_: unknown) => (runs += 1), args, { action: 'tool' }))
    expect(runs).toBe(0)
    expect(error).toMatchObject({ code: 'PARAMETERS_CHANGED' })
  })

  it('what runs is what was decided on, even when the caller changes it while the decision is being written', async () => {
    const order = { amount: 10 }
    const b = boundary(ALLOW)
    b.ledger.fault = () => {
      order.amount = 10_000
      return undefined
    }
    expect(await b.tool(order)).toBe('done')
    expect(b.tool.received).toEqual([[{ amount: 10 }]])
  })

  it('a budget reserved before the change was seen is given back', async () => {
    let reads = 0
    const b = boundary(ALLOW, { budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }) })
    expect(
      await rejection(
        b.tool({
          get amount() {
            reads += 1
            return reads
          },
        }),
      ),
    ).toMatchObject({ code: 'PARAMETERS_CHANGED' })
    expect(await b.tool({ amount: 1 })).toBe('done')
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a cycle', cycle],
    [
      'a throwing getter',
      {
        get x() {
          throw new Error('no')
        },
      },
    ],
    ['an invalid date', new Date(Number.NaN)],
    ['a lone surrogate', '\ud800'],
    ['too much text', 'x'.repeat(300_000)],
  ])('%s cannot be put on record', async (_, value) => {
    const b = boundary(ALLOW)
    const error = await rejection(b.tool({ value }))
    expect(error).toBeInstanceOf(ParametersError)
    await expectDenied(b, error, 'PARAMETERS_INVALID')
  })

  it('secrets reach neither policy, approver, ledger nor audit log, but the function', async () => {
    const seen: unknown[] = []
    const b = boundary(
      policyOf((context) => {
        seen.push(context)
        return ASK
      }),
      {
        onConcealed: 'allow',
        approver: {
          approve: async (request) => {
            seen.push({ ...request })
            return true
          },
        },
      },
    )
    const secret = { api_key: 'hunter2hunter2', note: 'use sk-live-1234567890abcdef please' }
    await b.tool(secret)
    const everything = JSON.stringify([seen, await b.entries(), b.audit.records])
    expect(everything).not.toMatch(/hunter2|sk-live/)
    expect(b.tool.received).toEqual([[secret]])
  })
})
