import { encodeCanonical } from '@sudoagent/crypto/json'
import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { kindOf } from '../../src/arguments/kind.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { createRedactor } from '../../src/redaction/redactor.js'

const redactor = createRedactor()
const jsonOf = (value: unknown): unknown => redactor.json(takeSnapshot([value], 'normalize').values[0])

class Account {
  balance = 5
}

describe('the JSON form of', () => {
  it.each<[string, unknown, unknown]>([
    ['a string in NFC', 'e\u0301', '\u00e9'],
    ['a number', 1.5, 1.5],
    ['minus zero', -0, 0],
    ['the largest safe integer', 2 ** 53 - 1, 2 ** 53 - 1],
    ['a larger integer', 2 ** 53, '9007199254740992'],
    ['a very large integer', -1e21, '-1000000000000000000000'],
    ['a bigint', 12n, '12'],
    ['true', true, true],
    ['null', null, null],
    ['undefined', undefined, '<undefined>'],
    ['a function', () => 1, '<function>'],
    ['a class', Account, '<function>'],
    ['a symbol', Symbol('token'), '<symbol>'],
    ['a Date', new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)), '2026-01-02T03:04:05.006Z'],
    ['a URL', new URL('https://u:p@h/?token=abc&x=1'), 'https://u:[redacted]@h/?token=[redacted]&x=1'],
    ['a RegExp', /secret/, '<RegExp>'],
    ['a typed array', new Uint8Array(16), '<Uint8Array:16>'],
    ['a typed array of wider elements', new Float64Array(2), '<Float64Array:16>'],
    ['a Buffer', Buffer.from('hunter2'), '<Buffer:7>'],
    ['an ArrayBuffer', new ArrayBuffer(3), '<ArrayBuffer:3>'],
    ['a DataView', new DataView(new ArrayBuffer(8), 2), '<DataView:6>'],
    ['a promise', Promise.resolve('hunter2'), '<Promise>'],
    ['an error', new RangeError('hunter2'), '<RangeError>'],
    ['an instance', new Account(), '<Account>'],
    ['an AbortSignal', new AbortController().signal, '<AbortSignal>'],
    ['an object of no class', Object.create({ a: 1 }), '<object>'],
    ['an array with a hole', new Array(1), ['<undefined>']],
    ['a Set', new Set([1, 'sk-test-123']), { '<Set>': [1, '[redacted]'] }],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['password', 1],
        ['a', { passwd: 2 }],
        [{ b: 3 }, 'c'],
      ]),
      {
        '<Map>': [
          ['password', '[redacted]'],
          ['a', { passwd: '[redacted]' }],
          [{ b: 3 }, 'c'],
        ],
      },
    ],
  ])('%s', (_, value, json) => {
    const written = jsonOf(value)
    expect(written).toStrictEqual(json)
    expect(Object.is(written, -0)).toBe(false)
    expect(() => encodeCanonical(written)).not.toThrow()
  })
})

describe('what was passed by reference', () => {
  it('is named without reading a field, running a getter or waking a proxy', () => {
    const bomb = (): never => {
      throw new Error('woken')
    }
    const awake = { get: bomb, getOwnPropertyDescriptor: bomb, ownKeys: bomb, has: bomb }
    const hostile = Object.defineProperties(new Account(), {
      constructor: { get: bomb },
      toJSON: { get: bomb },
      [Symbol.toStringTag]: { get: bomb },
      [Symbol.toPrimitive]: { get: bomb },
    })
    const unnamed = Object.create({
      get constructor() {
        return bomb()
      },
    })
    expect(jsonOf(hostile)).toBe('<Account>')
    expect(jsonOf(unnamed)).toBe('<object>')
    expect(jsonOf(new Proxy(new Account(), awake))).toBe('<object>')
    expect(jsonOf(Object.create(new Proxy({}, { ...awake, getPrototypeOf: () => null })))).toBe('<object>')
    expect(jsonOf(new Proxy(() => 1, awake))).toBe('<function>')
  })

  it('cannot put anything on record by its name', () => {
    const named = (name: unknown) => new (Object.defineProperty(class {}, 'name', { value: name }))()
    for (const name of [
      '',
      'a b',
      '\u001b[2J',
      'x'.repeat(65),
      'ghp_abc123',
      'AKIAIOSFODNN7EXAMPLE',
      '<Map>',
      'Object',
      'é',
      7,
      null,
    ]) {
      expect(jsonOf(named(name))).toBe('<object>')
    }
    expect(jsonOf(named('x'.repeat(64)))).toBe(`<${'x'.repeat(64)}>`)
    expect(jsonOf(named('_$1'))).toBe('<_$1>')
  })

  it('stays unread when it turns plain after the snapshot', () => {
    let prototype: object = Account.prototype
    const chameleon = new Proxy({ amount: 1 }, { getPrototypeOf: () => prototype })
    const [value] = takeSnapshot([chameleon]).values
    prototype = Object.prototype
    expect(redactor.json(value)).toBe('<object>')
    expect(redactor.json({ amount: 1 })).toBe('<object>')
  })
})

describe('keys', () => {
  it('replace every text and number under a sensitive one, and leave the shape', () => {
    const secret = '[redacted]'
    const values: readonly (readonly [unknown, unknown])[] = [
      ...['x', 1, 0, 5n, new Date(0), new URL('https://x/')].map((value) => [value, secret] as const),
      ...[true, false, null, ''].map((value) => [value, value] as const),
      [undefined, '<undefined>'],
      [() => 1, '<function>'],
      [
        ['x', 1, { b: 'y' }],
        [secret, secret, { b: secret }],
      ],
      [
        { a: 'x', b: [true, null], c: {} },
        { a: secret, b: [true, null], c: {} },
      ],
      [new Map([['a', 'x']]), { '<Map>': [['a', secret]] }],
      [new Set(['x']), { '<Set>': [secret] }],
    ]
    for (const [value, json] of values) expect(jsonOf({ a: { password: value } })).toEqual({ a: { password: json } })
  })

  it('keep a number under a token count', () => {
    expect(jsonOf({ max_tokens: 100, token_count: '100', token: 100 })).toEqual({
      max_tokens: 100,
      token_count: '[redacted]',
      token: '[redacted]',
    })
  })

  it('are redacted themselves, and numbered in an order that does not depend on the object', () => {
    const a = jsonOf({ ghp_aaa111: 1, ghp_bbb222: 2, '[redacted]': 3, ok: 4 })
    const b = jsonOf({ ok: 4, '[redacted]': 3, ghp_bbb222: 2, ghp_aaa111: 1 })
    expect(a).toEqual({ '[redacted]': 1, '[redacted]#2': 2, '<text>[redacted]': 3, ok: 4 })
    expect(b).toEqual(a)
  })

  it('are numbered in linear time', () => {
    const took = processorTime()
    const keys = Array.from({ length: 9_000 }, (_, index) => [`ghp_abc${index}`, index])
    expect(Object.keys(jsonOf(Object.fromEntries(keys)) as object)).toHaveLength(9_000)
    expect(took()).toBeLessThan(5_000)
  })

  it('that are one after normalisation are refused', () => {
    const twins = { '\u00e9': 1, 'e\u0301': 2 }
    expect(() => jsonOf({ a: twins })).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }))
    expect(jsonOf({ 'e\u0301': 1 })).toEqual({ '\u00e9': 1 })
  })

  it('named `__proto__`, `constructor` and `toJSON` are ordinary', () => {
    const written = jsonOf(
      JSON.parse('{"__proto__": {"token": "x"}, "constructor": 1, "toJSON": "t", "hasOwnProperty": 2}'),
    ) as object
    expect(Object.keys(written)).toEqual(['__proto__', 'constructor', 'toJSON', 'hasOwnProperty'])
    expect(Object.getPrototypeOf(written)).toBe(Object.prototype)
    expect(encodeCanonical(written)).toBe(
      '{"__proto__":{"token":"[redacted]"},"constructor":1,"hasOwnProperty":2,"toJSON":"t"}',
    )
  })
})

describe('names beside values', () => {
  it.each<[unknown, unknown]>([
    [
      { name: 'X-Api-Key', value: 'abc' },
      { name: 'X-Api-Key', value: '[redacted]' },
    ],
    [
      { key: 'DB_PASSWORD', value: { a: 1 }, scope: 'ci' },
      { key: 'DB_PASSWORD', value: { a: '[redacted]' }, scope: 'ci' },
    ],
    [
      { name: 'author', value: 'abc' },
      { name: 'author', value: 'abc' },
    ],
    [
      [
        ['x-api-key', 'abc'],
        ['accept', 'text/html'],
      ],
      [
        ['x-api-key', '[redacted]'],
        ['accept', 'text/html'],
      ],
    ],
    [
      ['mysql', '--password', 'hunter2', '-u', 'root'],
      ['mysql', '--password', '[redacted]', '-u', 'root'],
    ],
    [
      ['x', '--max-tokens', '100', '--token', '100'],
      ['x', '--max-tokens', '100', '--token', '[redacted]'],
    ],
    [
      ['the token', 'was', 'lost'],
      ['the token', 'was', 'lost'],
    ],
    [
      ['auth', 'session', 'token'],
      ['auth', 'session', 'token'],
    ],
  ])('%j', (value, json) => {
    expect(jsonOf(value)).toEqual(json)
  })
})

it('refuses what a snapshot would have refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800']) {
    expect(() => redactor.json(value)).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }))
  }
})

it('refuses a copy that the function has tied into a knot since', () => {
  const [copy] = takeSnapshot([{ a: {} }]).values as [Record<string, unknown>]
  copy.a = copy
  expect(kindOf(copy)).toBe('object')
  expect(() => redactor.json(copy)).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }))
})

it('is frozen at every depth', () => {
  const written = jsonOf({ a: [{ b: new Map([['c', new Set([[1]])]]) }] })
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    expect(Object.isFrozen(value)).toBe(true)
    Object.values(value).forEach(check)
  }
  check(written)
})
