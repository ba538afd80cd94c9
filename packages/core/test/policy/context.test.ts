import { encodeCanonical } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { buildContext, type CallContext, parametersOf } from '../../src/policy/context.js'
import { createRedactor } from '../../src/redaction/redactor.js'

const facts = {
  requestId: '7f1f9d0e-0000-4000-8000-000000000000',
  action: 'refund',
  agentId: 'support',
  redactor: createRedactor(),
}
const contextOf = (args: readonly unknown[], metadata?: unknown): CallContext =>
  buildContext({ ...facts, values: takeSnapshot(args).values, metadata })

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  expect(Object.isFrozen(value)).toBe(true)
  for (const key of Reflect.ownKeys(value)) expectFrozen(Reflect.get(value, key))
}

describe('buildContext', () => {
  it('puts the one plain object of a tool call into kwargs', () => {
    expect(contextOf([{ amount: 5, token: 'abc' }])).toStrictEqual({
      requestId: facts.requestId,
      action: 'refund',
      agentId: 'support',
      args: [],
      kwargs: { amount: 5, token: '[redacted]' },
      metadata: {},
    })
  })

  it('puts any other call into args', () => {
    class Account {}
    for (const args of [
      [],
      [1],
      ['a', { b: 1 }],
      [{ a: 1 }, { b: 2 }],
      [[{ a: 1 }]],
      [null],
      [undefined],
      [new Map()],
      [new Account()],
      [new Date(0)],
    ]) {
      const { args: list, kwargs } = contextOf(args)
      expect(list).toHaveLength(args.length)
      expect(kwargs).toStrictEqual({})
    }
    expect(contextOf(['a', { passwd: 1 }, 2n]).args).toStrictEqual(['a', { passwd: '[redacted]' }, '2'])
  })

  it('sees the secret of a call with a name and a value', () => {
    expect(contextOf(['DB_PASSWORD', 'hunter2']).args).toEqual(['DB_PASSWORD', '[redacted]'])
  })

  it('is frozen at every depth, and nothing in it is the caller object', () => {
    const inner = { c: [1] }
    const context = contextOf([{ a: { b: [inner] } }], { trace: { ids: ['x'] } })
    expectFrozen(context)
    inner.c.push(2)
    expect(context.kwargs).toEqual({ a: { b: [{ c: [1] }] } })
    expect(() => Object.assign(context.kwargs, { a: 1 })).toThrow(TypeError)
  })

  it('keeps hostile keys own and harmless', () => {
    const context = contextOf([JSON.parse('{"__proto__": {"admin": true}, "constructor": {"a": 1}}')])
    expect(Object.keys(context.kwargs)).toEqual(['__proto__', 'constructor'])
    expect('admin' in context.kwargs).toBe(false)
    expect({ ...context.kwargs }).toEqual(context.kwargs)
    expect(encodeCanonical(context)).toContain('"kwargs":{"__proto__":{"admin":true},"constructor":{"a":1}}')
  })

  it('reads the metadata once, redacts it, and refuses what is no plain object', () => {
    let reads = 0
    const metadata = {
      get trace() {
        return `t${++reads} token=abc`
      },
      session: 's3',
    }
    expect(contextOf([], metadata).metadata).toEqual({ trace: 't1 token=[redacted]', session: '[redacted]' })
    expect(reads).toBe(1)
    for (const wrong of [
      null,
      1,
      'x',
      [],
      new Map(),
      new Date(0),
      () => 1,
      { a: Number.NaN },
      { a: 'x'.repeat(70_000) },
    ]) {
      expect(() => contextOf([], wrong)).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }))
    }
  })

  it('reads nothing that no snapshot made', () => {
    const { args } = buildContext({ ...facts, values: ['unread', { amount: 1 }] })
    expect(args).toEqual(['unread', '<object>'])
    expect(buildContext({ ...facts, values: [{ amount: 1 }] }).args).toEqual(['<object>'])
  })

  it('is the same for the same call', () => {
    const call = () => [{ b: 1, a: [new Date(5), new Set(['x'])], ghp_abc123: 1, ghp_abc124: 2 }]
    expect(encodeCanonical(contextOf(call()))).toBe(encodeCanonical(contextOf(call())))
  })
})

describe('parametersOf', () => {
  it('is what the ledger records', () => {
    const context = contextOf([1, 'x'])
    expect(parametersOf(context)).toStrictEqual({ args: [1, 'x'], kwargs: {} })
    expectFrozen(parametersOf(context))
  })
})

describe('any call', () => {
  const any = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    maxDepth: 4,
  })

  it('has a context that encodes canonically, or is refused with the code', () => {
    let built = 0
    fc.assert(
      fc.property(fc.array(any, { maxLength: 3 }), (args) => {
        try {
          const context = contextOf(args)
          expect(JSON.parse(encodeCanonical(context))).toEqual(JSON.parse(JSON.stringify(context)))
          expectFrozen(context)
          built++
        } catch (error) {
          expect(error).toMatchObject({ code: 'PARAMETERS_INVALID' })
        }
      }),
    )
    expect(built).toBeGreaterThan(10)
  })
})

describe('planted secrets', () => {
  const alphabet = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
  const run = (minLength: number, maxLength = minLength) => fc.string({ unit: alphabet, minLength, maxLength })
  /** A random string that is too long to occur in the surrounding text by chance. */
  const body = run(24, 40)

  const shaped = fc.oneof(
    body.map((text) => `sk-${text}`),
    body.map((text) => `sk_live_${text}`),
    fc.tuple(fc.constantFrom('p', 'o', 'u', 's', 'r'), body).map(([kind, text]) => `gh${kind}_${text}`),
    body.map((text) => `github_pat_${text}`),
    body.map((text) => `xoxb-${text}`),
    body.map((text) => `glpat-${text}`),
    run(36).map((text) => `npm_${text}`),
    run(35).map((text) => `AIza${text}`),
    fc
      .string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), minLength: 16, maxLength: 16 })
      .map((text) => `AKIA${text}`),
    fc.tuple(body, body, body).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`),
  )
  /** Secrets without a recognisable format, in a text that names them. */
  const named = body.chain((secret) =>
    fc
      .constantFrom(
        ...[
          `postgres://app:${secret}@db/prod`,
          `https://x/?api_key=${secret}&a=1`,
          `Server=x;Password=${secret};Database=d`,
        ],
        ...[
          `{"password": "${secret}"}`,
          JSON.stringify({ in: JSON.stringify({ client_secret: secret }) }),
          `Authorization: Bearer ${secret}`,
        ],
        ...[
          `aws_secret_access_key = ${secret}`,
          `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
          `--token ${secret} -v`,
        ],
      )
      .map((text) => ({ secret, text })),
  )
  const inText = fc
    .tuple(
      shaped,
      fc.constantFrom('', 'use ', '(', 'x=', 'a\n', '"', '日本 '),
      fc.constantFrom('', ' now', ')', '&b=1', '\n', '"', ', ok'),
    )
    .map(([secret, before, after]) => ({ secret, text: before + secret + after }))

  const safeKey = fc.constantFrom('amount', 'note', 'author', 'items', 'tokenizer', 'user_id', 'q')
  const secretKey = fc.constantFrom(
    'password',
    'apiKey',
    'ACCESS_TOKEN',
    'x-auth',
    'clientSecret',
    'set-cookie',
    'ｐａｓｓｗｏｒｄ',
  )
  const wrap = fc.constantFrom<(key: string, value: unknown) => unknown>(
    (key, value) => ({ [key]: value, amount: 5 }),
    (_, value) => [1, value],
    (key, value) => new Map([[key, value]]),
    (_, value) => new Set([value]),
    (key, value) => Object.assign(Object.create(null), { [key]: value }),
  )
  const bury = (value: unknown, layers: readonly [(key: string, value: unknown) => unknown, string][]): unknown =>
    layers.reduce((inner, [layer, key]) => layer(key, inner), value)
  const layers = fc.array(fc.tuple(wrap, safeKey), { maxLength: 12 })

  const leaks = (secret: string, args: readonly unknown[], metadata?: unknown): boolean => {
    const context = contextOf(args, metadata)
    return JSON.stringify(context).includes(secret) || encodeCanonical(context).includes(secret)
  }

  it('in a text at any depth do not reach the context', () => {
    fc.assert(
      fc.property(fc.oneof(inText, named), layers, ({ secret, text }, around) => {
        const value = bury(text, around)
        expect(leaks(secret, [value])).toBe(false)
        expect(leaks(secret, ['x', value], { note: value })).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('under a sensitive key do not reach the context, whatever their shape', () => {
    fc.assert(
      fc.property(secretKey, body, layers, layers, (key, secret, inside, outside) => {
        const hidden = bury(secret, inside)
        expect(leaks(secret, [bury({ [key]: hidden }, outside)])).toBe(false)
        expect(leaks(secret, [bury(new Map([[key, hidden]]), outside)])).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('as a key do not reach the context', () => {
    fc.assert(
      fc.property(shaped, layers, (secret, around) => {
        expect(leaks(secret, [bury({ [secret]: 1, [`my ${secret}`]: 2 }, around)])).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})
