// Tests the numbers of values and keys of a call that are recorded as something other than themselves.
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { ARGUMENT_LIMITS } from '../../src/limits.js'
import { buildContext, noticeOf, parametersOf, policyView, UNRECORDABLE } from '../../src/policy/context.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import {
  Account,
  CONVERTED,
  contextOf,
  counts,
  countsOf,
  DECOMPOSED,
  REPLACED,
  TOKEN,
} from '../fixtures/redacted-values.js'

describe('a value that is recorded as itself', () => {
  it.each<[string, unknown]>([
    ['a text', 'caf\u00e9'],
    ['an empty text', ''],
    ['a text that only contains a placeholder', 'see <undefined>, [redacted]'],
    ['zero', 0],
    ['a fraction', 1.5],
    ['the largest safe integer', 2 ** 53 - 1],
    ['the smallest safe integer', -(2 ** 53 - 1)],
    ['the smallest fraction', 5e-324],
    ['true', true],
    ['false', false],
    ['null', null],
    ['an empty array', []],
    ['an empty object', {}],
    ['objects in arrays', [{ a: [{ b: 'c' }] }, [[]]]],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['objects and arrays of another realm', runInNewContext('[{ a: [1, { b: 2 }] }]')],
    ['hostile keys', JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "toJSON": 3, "<b>": 4}')],
    ['an object that looks plain', new Proxy({ a: [1] }, {})],
    [
      'a getter',
      {
        get amount() {
          return 5
        },
      },
    ],
  ])('%s', (_, value) => {
    expect(counts(value)).toEqual([0, 0])
    expect(counts('x', value)).toEqual([0, 0])
    expect(counts({ a: value })).toEqual([0, 0])
  })

  it('is a call without arguments', () => {
    expect(counts()).toEqual([0, 0])
  })

  it('is what the function does not receive: members that a snapshot leaves out', () => {
    const object = Object.defineProperty({ a: 1, [Symbol('s')]: TOKEN }, 'hidden', { value: TOKEN })
    const array = Object.assign([1], { named: TOKEN })
    class List extends Array<number> {}
    expect(counts(object, array, List.from([1, 2]))).toEqual([0, 0])
  })
})

describe('a value that is recorded as something else', () => {
  const kinds = [
    ...CONVERTED.map(([name, value]) => [name, value, 1] as const),
    ...REPLACED.map(([name, value]) => [name, value, 0] as const),
  ]

  it.each(kinds)('%s counts once, wherever it is', (_, value, converted) => {
    expect(counts(value)).toEqual([1, converted])
    expect(counts(1, value, 'x')).toEqual([1, converted])
    expect(counts({ a: value })).toEqual([1, converted])
    expect(counts([[value]])).toEqual([1, converted])
    expect(counts({ a: { b: [value, 1] }, c: [value] })).toEqual([2, 2 * converted])
    expect(counts(new Map([['a', value]]))).toEqual([2, 1 + converted])
    expect(counts(new Map([[value, 1]]))).toEqual([2, 1 + converted])
    expect(counts(new Map([[value, value]]))).toEqual([3, 1 + 2 * converted])
    expect(counts(new Set([value]))).toEqual([2, 1 + converted])
    expect(countsOf({ receiver: { a: value } })).toEqual([1, converted])
  })

  it('−0 counts once, wherever a snapshot can contain it', () => {
    expect(counts(-0)).toEqual([1, 1])
    expect(counts({ a: -0, b: [0, -0] })).toEqual([2, 2])
    expect(counts(new Map([['a', -0]]))).toEqual([2, 2])
    // A Map key and a Set member are never −0.
    expect(counts(new Map([[-0, 'a']]), new Set([-0]))).toEqual([2, 2])
  })

  it('each hole of an array counts', () => {
    expect(counts(new Array(3))).toEqual([3, 3])
    const sparse = [1]
    sparse[4] = 2
    expect(counts({ a: sparse })).toEqual([3, 3])
  })

  it('a shared object counts each time', () => {
    const shared = { at: new Date(0), token: 'x' }
    expect(counts(shared, [shared])).toEqual([4, 2])
  })

  it('what a getter or a proxy returns counts like any other value', () => {
    const object = {
      get at() {
        return new Date(0)
      },
    }
    expect(counts(object, new Proxy([1, 2], { get: (list, key) => (key === '0' ? TOKEN : Reflect.get(list, key)) })))
      // The Date and the token.
      .toEqual([2, 1])
  })
})

describe('a key that is recorded as something else', () => {
  it.each<[string, object, number]>([
    ['a token', { [TOKEN]: 1 }, 1],
    ['a text with a token', { [`my ${TOKEN}`]: 1, a: 2 }, 1],
    ['two keys that become equal', { [TOKEN]: 1, [TOKEN.toUpperCase().replace('GHP', 'ghp')]: 2 }, 2],
    ['a key that is not in NFC', { [DECOMPOSED]: 1 }, 1],
    ['a token that is not in NFC', { [`${DECOMPOSED} ${TOKEN}`]: 1 }, 1],
    ['a key like the tag of a Map', { '<Map>': 1 }, 1],
    ['a key like an escaped one', { '<text>a': 1 }, 1],
    ['a key like a secret that was replaced', { '[redacted]': 1 }, 1],
    ['a key and its value', { [DECOMPOSED]: DECOMPOSED }, 2],
    ['a sensitive name that is not in NFC, and its value', { 'cafe\u0301_token': 'abc' }, 2],
    ['a sensitive name that is in NFC, and its value', { token: 'abc' }, 1],
  ])('%s', (_, object, redacted) => {
    expect(counts(object)).toEqual([redacted, 0])
    expect(counts([{ a: object }])).toEqual([redacted, 0])
    expect(counts(new Map(Object.entries(object)))[0]).toBeGreaterThanOrEqual(redacted)
    expect(countsOf({ receiver: object })).toEqual([redacted, 0])
  })

  it('names of members keep their own marks when integer keys change the order', () => {
    expect(counts({ [DECOMPOSED]: 'a', 7: DECOMPOSED, b: 1, 3: TOKEN })).toEqual([3, 0])
  })
})

describe('values under a sensitive name', () => {
  it.each<[string, unknown, number, number]>([
    ['a text', 'x', 1, 0],
    ['a text that is not in NFC', DECOMPOSED, 1, 0],
    ['a number', 5, 1, 0],
    ['−0', -0, 1, 1],
    ['a large integer', 2 ** 53, 1, 1],
    ['a bigint', 5n, 1, 1],
    ['a Date', new Date(0), 1, 1],
    ['a URL', new URL('https://x/'), 1, 1],
    ['undefined', undefined, 1, 1],
    ['a function', () => 1, 1, 1],
    ['bytes', Buffer.alloc(2), 1, 1],
    ['an instance', new Account(), 1, 1],
    ['true', true, 0, 0],
    ['null', null, 0, 0],
    ['an empty text', '', 0, 0],
    ['a text that is listed, but recorded as itself', '[redacted]', 0, 0],
    ['an object', { a: 'x', b: [1, true], c: {} }, 2, 0],
    ['a Map', new Map([['a', 'x']]), 2, 1],
    ['a Set', new Set(['x', 'y']), 3, 1],
  ])('%s', (_, value, redacted, converted) => {
    expect(counts({ password: value })).toEqual([redacted, converted])
    expect(counts(1, { password: value })).toEqual([redacted, converted])
    expect(counts(new Map([['password', value]]))).toEqual([redacted + 1, converted + 1])
  })

  it('in every form in which a name and a value can be written', () => {
    expect(counts('DB_PASSWORD', 'hunter2')).toEqual([1, 0])
    expect(counts(['login', '--token', 'abc'])).toEqual([1, 0])
    expect(counts(['mysql', '-phunter2', '-uroot'])).toEqual([1, 0])
    expect(counts({ name: 'Authorization', value: 'abc' })).toEqual([1, 0])
  })

  it('count by what the options conceal or keep', () => {
    const args = [{ iban: 'DE02', id: 'EMP-1', password: 'x', kept: { token: TOKEN, e: DECOMPOSED } }]
    expect(countsOf({ args, redaction: { keep: ['password', 'kept'] } })).toEqual([1, 0])
    expect(countsOf({ args, redaction: { keys: ['iban'], values: [/EMP-\d/], keep: ['kept.token'] } })).toEqual([4, 0])
  })

  it('count beyond the number of places that are listed', () => {
    const { concealed, redacted } = noticeOf(contextOf({ args: Array.from({ length: 500 }, () => TOKEN) }))
    expect(concealed.length).toBeLessThan(200)
    expect(redacted).toBe(500)
  })
})

describe('the receiver', () => {
  class Basket extends Array<number> {
    owner = 'alice'
  }

  it.each<[string, object, number, number]>([
    ['a plain object', { balance: 5 }, 0, 0],
    ['an array', [1, 2], 0, 0],
    ['an array of another realm', runInNewContext('[1, 2]'), 0, 0],
    ['an instance', new Account(), 1, 1],
    ['a proxy of an instance', new Proxy(new Account(), {}), 1, 1],
    ['an instance with a secret', Object.assign(new Account(), { token: 'abc' }), 2, 1],
    ['an instance with a value that is converted', Object.assign(new Account(), { at: new Date(0) }), 2, 2],
    ['an instance of a subclass of Array', Basket.from([1, 2]), 1, 1],
    ['a Map', new Map([['a', TOKEN]]), 2, 1],
    ['an instance of a subclass of Map', new (class extends Map<unknown, unknown> {})([['a', 1]]), 1, 1],
  ])('%s counts', (_, receiver, redacted, converted) => {
    expect(countsOf({ receiver })).toEqual([redacted, converted])
    expect(countsOf({ receiver, args: [TOKEN, 1n] })).toEqual([redacted + 2, converted + 1])
    expect(countsOf({ receiver, args: [{ a: TOKEN, b: 1n }] })).toEqual([redacted + 2, converted + 1])
  })
})

describe('the counts', () => {
  it('are not visible, neither in the context nor to a policy', () => {
    const context = contextOf({ args: [{ token: 'abc', at: new Date(0) }], metadata: { token: 'abc', n: 1n } })
    expect(noticeOf(context)).toMatchObject({ redacted: 2, converted: 1 })
    for (const view of [context, policyView(context, {})]) {
      expect('redacted' in view || 'converted' in view).toBe(false)
      expect(JSON.stringify(view)).not.toMatch(/"(?:converted|redacted)"/)
    }
    expect(Object.keys(parametersOf(context))).toEqual(['args', 'kwargs'])
  })

  it('are 1 for arguments that cannot be recorded, and for a caller who passes the placeholder', () => {
    const facts = { requestId: 'r', action: 'a', agentId: 'b', redactor: createRedactor() }
    expect(noticeOf(buildContext({ ...facts, values: UNRECORDABLE }))).toMatchObject({ redacted: 1, converted: 1 })
    expect(counts(...UNRECORDABLE)).toEqual([1, 0])
  })

  it('count an object that no snapshot made', () => {
    const facts = { requestId: 'r', action: 'a', agentId: 'b', redactor: createRedactor() }
    const { redacted, converted } = noticeOf(buildContext({ ...facts, values: [{ amount: 1 }, 'x'] }))
    expect([redacted, converted]).toEqual([1, 1])
  })

  it('belong to one context: a copy has none', () => {
    expect(() => noticeOf({ ...contextOf({ args: [TOKEN] }) })).toThrow(TypeError)
  })

  it('are the same for text in NFC, whatever the handling of other text', () => {
    const args = [{ a: 'caf\u00e9', b: TOKEN, c: [new Date(0)] }]
    expect(countsOf({ args, unicode: 'refuse' })).toEqual(countsOf({ args, unicode: 'normalize' }))
    expect(() => countsOf({ args: [DECOMPOSED], unicode: 'refuse' })).toThrow()
  })
})

describe('large and hostile arguments', () => {
  const { maxNodes } = ARGUMENT_LIMITS

  it('count up to the limits, and are refused beyond', () => {
    expect(counts(new Array(maxNodes - 1))).toEqual([maxNodes - 1, maxNodes - 1])
    expect(() => counts(new Array(100_000))).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }))
    const text = Array.from({ length: maxNodes - 1 }, () => 'e\u0301')
    const keys = Object.fromEntries(text.slice(1).map((e, n) => [`${e}${n}`, e]))
    const took = processorTime()
    expect(counts(text)).toEqual([maxNodes - 1, 0])
    expect(counts(keys)).toEqual([2 * (maxNodes - 2), 0])
    expect(took()).toBeLessThan(5_000)
  })

  it('cannot change the counts after the snapshot', () => {
    let reads = 0
    const changing = new Proxy({ a: 1, b: 1 }, { get: () => (reads++ === 0 ? 5 : TOKEN) })
    expect(counts(changing)).toEqual([1, 0])
    expect(reads).toBe(2)
  })
})
