import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { canonicalize } from 'json-canonicalize'
import { describe, expect, test } from 'vitest'
import { encodeCanonical, encodeJcs, encodeMembers } from '../../src/json/encode.js'
import { anyChar, anyJson } from '../fixtures/arbitraries.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'
import { sharedVectors } from '../fixtures/vectors.js'

const jcs = sharedVectors('jcs')

describe.skipIf(jcs === null)('RFC 8785 test data (../shared/vectors/jcs)', () => {
  const folder = jcs ?? ''
  const names = existsSync(folder) ? readdirSync(join(folder, 'input')) : ['none']
  test.each(names)('%s', (name) => {
    const input: unknown = JSON.parse(readFileSync(join(folder, 'input', name), 'utf8'))
    expect(encodeJcs(input)).toBe(readFileSync(join(folder, 'output', name), 'utf8'))
  })
})

/** A simple second implementation of RFC 8785 for plain JSON values. */
function reference(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(reference).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${reference(member)}`).join(',')}}`
}

describe('encodeJcs', () => {
  test('sorts keys by UTF-16 code unit at every level', () => {
    expect(encodeJcs({ b: [{ z: 1, a: 2 }], a: null, B: true, '10': 1, '9': 2 })).toBe(
      '{"10":1,"9":2,"B":true,"a":null,"b":[{"a":2,"z":1}]}',
    )
    expect(encodeJcs({ '\ufb01': 1, '\u{1d4b3}': 2 })).toBe('{"\u{1d4b3}":2,"\ufb01":1}')
  })

  test('writes numbers as ECMAScript does, and -0 as 0', () => {
    const numbers = [-0, 0.1, 1e21, 1e-7, 1e20, 5e-324, -1.5, 2 ** 53]
    expect(encodeJcs(numbers)).toBe('[0,0.1,1e+21,1e-7,100000000000000000000,5e-324,-1.5,9007199254740992]')
  })

  test('leaves text as it is', () => {
    expect(encodeJcs('e\u0301')).toBe('"e\u0301"')
    expect(encodeJcs('\u0000\u001f\u007f\u2028"\\/\n')).toBe('"\\u0000\\u001f\u007f\u2028\\"\\\\/\\n"')
  })

  test('takes keys that other code trips over', () => {
    const value: unknown = JSON.parse(
      '{"toJSON":1,"b":{"toJSON":null,"a":2},"__proto__":{"x":1},"constructor":3,"hasOwnProperty":4,"":5}',
    )
    expect(encodeJcs(value)).toBe(
      '{"":5,"__proto__":{"x":1},"b":{"a":2,"toJSON":null},"constructor":3,"hasOwnProperty":4,"toJSON":1}',
    )
    expect(encodeJcs(Object.assign(Object.create(null), { b: 1, a: 2 }))).toBe('{"a":2,"b":1}')
  })

  test('takes the same object in several places', () => {
    const shared = { x: 1 }
    expect(encodeJcs({ a: shared, ab: [shared, { a: shared }] })).toBe('{"a":{"x":1},"ab":[{"x":1},{"a":{"x":1}}]}')
  })

  test('is the reference for every JSON value, with and without a key named toJSON', () => {
    const odd = fc.dictionary(fc.constantFrom('toJSON', '__proto__', '10', '9', 'a', 'B', ''), anyJson)
    fc.assert(
      fc.property(fc.oneof(anyJson, odd, fc.array(odd)), (json) => {
        // JSON.parse creates only own keys, and JSON.stringify writes -0 as 0.
        expect(encodeJcs(json)).toBe(reference(JSON.parse(JSON.stringify(json))))
      }),
      { numRuns: 1000 },
    )
  })

  test('is json-canonicalize wherever that reads a value as data', () => {
    fc.assert(
      fc.property(anyJson, (json) => {
        fc.pre(!JSON.stringify(json).includes('toJSON'))
        expect(encodeJcs(json)).toBe(canonicalize(json))
      }),
    )
  })

  test('reads every property exactly once', () => {
    const reads: string[] = []
    const proxy = new Proxy(
      { b: 1, a: 'x' },
      {
        getOwnPropertyDescriptor(target, key) {
          reads.push(String(key))
          return Reflect.getOwnPropertyDescriptor(target, key)
        },
        get() {
          throw new Error('read through a getter')
        },
      },
    )
    expect(encodeJcs(proxy)).toBe('{"a":"x","b":1}')
    expect(reads.sort()).toEqual(['a', 'b'])
  })
})

describe('encodeCanonical', () => {
  test('brings strings and keys into normalisation form C, then sorts', () => {
    expect(encodeCanonical({ z: 1, 'e\u0301': 'A\u030a' })).toBe('{"z":1,"\u00e9":"\u00c5"}')
    expect(encodeCanonical('\u212b')).toBe('"\u00c5"')
    expect(encodeCanonical('\ufb33')).toBe('"\u05d3\u05bc"')
  })

  test('refuses keys that collide', () => {
    const error = cryptoErrorOf(() => encodeCanonical({ a: { 'e\u0301': 1, '\u00e9': 2 } }))
    expect(error.code).toBe('VALUE_REFUSED')
    expect(error.message).toContain('`$.a`')
    expect(encodeJcs({ 'e\u0301': 1, '\u00e9': 2 })).toBe('{"e\u0301":1,"\u00e9":2}')
  })
})

class Money {
  amount = 1
}

const cycle: unknown[] = []
cycle.push({ cycle })

const REFUSED: readonly (readonly [what: string, value: unknown])[] = [
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['a bigint', 1n],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a lone high surrogate', 'a\ud800'],
  ['a lone low surrogate', '\udc00a'],
  ['a lone surrogate in a key', { '\ud800': 1 }],
  ['a Date', new Date(0)],
  ['a Map', new Map([['a', 1]])],
  ['a Set', new Set([1])],
  ['a RegExp', /a/],
  ['an Error', new Error('e')],
  ['a boxed number', Object(1)],
  ['a boxed string', Object('a')],
  ['bytes', new Uint8Array(2)],
  ['a promise', Promise.resolve(1)],
  ['an instance of a class', new Money()],
  ['an object with another prototype', Object.create({ a: 1 })],
  ['an array of another class', new (class extends Array<number> {})(1, 2)],
  ['an object with toJSON', { toJSON: () => 1 }],
  ['a sparse array', withHole()],
  ['a huge sparse array', new Array(2 ** 32 - 1)],
  ['an array with a property', Object.assign([1], { more: 2 })],
  ['a sparse array with a property', Object.assign(withHole(), { more: 2 })],
  ['an array with an accessor', Object.defineProperty([1], 0, { get: () => 2, enumerable: true })],
  ['an accessor', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })],
  ['a hidden property', Object.defineProperty({}, 'a', { value: 1, enumerable: false })],
  ['a symbol key', { [Symbol('s')]: 1 }],
  ['a cycle', cycle],
  ['a revoked proxy', revokedProxy()],
  ['a proxy that throws', new Proxy({}, { ownKeys: () => thrown() })],
]

function withHole(): unknown[] {
  const array: unknown[] = [1]
  array[2] = 2
  return array
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function thrown(): never {
  throw new Error('secret of the trap')
}

describe.each([
  ['encodeJcs', encodeJcs],
  ['encodeCanonical', encodeCanonical],
])('%s refuses', (_, encode) => {
  test.each(REFUSED)('%s, wherever it stands', (_what, value) => {
    for (const place of [value, [value], { a: value }, { a: [0, { b: value }] }]) {
      expect(codeOf(() => encode(place))).toBe('VALUE_REFUSED')
    }
  })

  test('a small graph that unfolds without end', () => {
    let graph: unknown = 1
    for (let i = 0; i < 100; i++) graph = [graph, graph]
    expect(codeOf(() => encode(graph))).toBe('VALUE_REFUSED')
  })
})

describe('a refusal', () => {
  test('names the path of the value', () => {
    const value = { parameters: { args: [0, { 'a b': Number.NaN }] } }
    expect(cryptoErrorOf(() => encodeJcs(value)).message).toContain('`$.parameters.args[1]["a b"]`')
    expect(cryptoErrorOf(() => encodeJcs(undefined)).message).toContain('`$`')
  })

  test('stays one short line of plain characters, whatever the keys are', () => {
    const key = fc.oneof(
      fc.string({ unit: anyChar, maxLength: 200 }),
      fc.constantFrom('\u001b[31m', '`', '\u202e', '\n'),
    )
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 40 }), (keys) => {
        const value = keys.reduceRight<unknown>((inner, name) => ({ [`${name}`]: inner }), Number.NaN)
        const { message } = cryptoErrorOf(() => encodeJcs(value))
        expect(message).toMatch(/^value at `[^`]+` is NaN, which JSON cannot represent$/)
        expect(message).toMatch(/^[\x20-\x7e…]+$/)
        expect(message.length).toBeLessThan(16 * 220)
      }),
    )
  })

  test('does not repeat what a trap threw', () => {
    const { message, cause } = cryptoErrorOf(() => encodeJcs(new Proxy({}, { ownKeys: () => thrown() })))
    expect(message).not.toContain('secret')
    expect(cause).toBeUndefined()
  })
})

describe('encodeMembers', () => {
  test('joined, is encodeCanonical; each begins with its key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: anyChar }), anyJson), (json) => {
        const nfc = new Set(Object.keys(json).map((key) => key.normalize('NFC')))
        fc.pre(nfc.size === Object.keys(json).length)
        const members = encodeMembers(json)
        expect(`{${members.map(([, text]) => text).join(',')}}`).toBe(encodeCanonical(json))
        for (const [key, text] of members) expect(text.startsWith(`${JSON.stringify(key)}:`)).toBe(true)
      }),
    )
  })

  test('refuses what encodeCanonical refuses, and what has no members', () => {
    for (const value of [[], new Date(), { a: undefined }, { '\u00e9': 1, 'e\u0301': 2 }, { '\ud800': 1 }])
      expect(codeOf(() => encodeMembers(value))).toBe('VALUE_REFUSED')
  })
})
