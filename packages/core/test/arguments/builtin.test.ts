import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { constructorName } from '../../src/arguments/builtin.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'

const copyOf = <T>(value: T): T => takeSnapshot([value]).values[0] as T

describe('built-in values', () => {
  it.each<[string, object]>([
    ['Date', new Date(86_400_000)],
    [
      'Map',
      new Map<unknown, unknown>([
        ['a', { b: 1 }],
        [{ c: 2 }, 'd'],
      ]),
    ],
    ['Set', new Set<unknown>(['a', { b: 1 }])],
    ['URL', new URL('https://user@example.com:8443/a?b=c#d')],
    ['RegExp', /a(b)+/giu],
    ['ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
    ['Buffer', Buffer.from('hello')],
    ['Uint8Array', Uint8Array.of(1, 2, 3)],
    ['Float64Array', Float64Array.of(1.5, Number.NaN)],
    ['BigInt64Array', BigInt64Array.of(-1n)],
    ['Uint8ClampedArray', Uint8ClampedArray.of(255)],
    ['DataView', new DataView(Uint8Array.of(1, 2, 3).buffer, 1)],
  ])('%s is copied by value', (_, value) => {
    const copy = copyOf(value)
    expect(copy).toStrictEqual(value)
    expect(copy).not.toBe(value)
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value))
  })

  it('copies the bytes that a view shows and nothing beside them', () => {
    const secret = Buffer.from('visible-SECRET')
    const view = secret.subarray(0, 7)
    const copy = copyOf(view)
    expect(copy.toString()).toBe('visible')
    expect(copy.buffer.byteLength).toBe(7)
    expect(Buffer.from(copy.buffer).includes('SECRET')).toBe(false)
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
    const own = copyOf(shared)
    shared.fill(8)
    expect(own).toEqual(Uint8Array.of(7, 7, 7, 7))
    expect(own.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('copies built-ins of another realm into this one', () => {
    const [date, map, bytes, regexp] = copyOf(
      runInNewContext('[new Date(5), new Map([[1, new Set([2])]]), Uint16Array.of(1, 2), /x/y]'),
    )
    expect(date).toStrictEqual(new Date(5))
    expect(map).toStrictEqual(new Map([[1, new Set([2])]]))
    expect(bytes).toStrictEqual(Uint16Array.of(1, 2))
    expect(regexp).toStrictEqual(/x/y)
  })

  it('looks at nothing that an object says of itself', () => {
    const bomb = (): never => {
      throw new Error('called')
    }
    const lie = { get: bomb }
    const date = Object.defineProperties(new Date(5), {
      getTime: lie,
      valueOf: lie,
      constructor: lie,
      [Symbol.toStringTag]: lie,
    })
    const map = Object.defineProperties(new Map([[1, 2]]), {
      size: lie,
      forEach: lie,
      entries: lie,
      [Symbol.iterator]: lie,
    })
    const set = Object.defineProperties(new Set([1]), { size: lie, forEach: lie, [Symbol.iterator]: lie })
    const bytes = Object.defineProperties(new Uint8Array([1]), {
      ...{ length: lie, buffer: lie, byteLength: lie, byteOffset: lie, constructor: lie, [Symbol.iterator]: lie },
    })
    const buffer = Object.defineProperties(new ArrayBuffer(1), { byteLength: lie, slice: lie, constructor: lie })
    const url = Object.defineProperties(new URL('https://x/'), { href: lie, toString: lie, toJSON: lie })
    const regexp = Object.defineProperties(/a/g, { source: lie, flags: lie, global: lie, constructor: lie })
    regexp.lastIndex = { valueOf: bomb } as unknown as number
    expect(copyOf([date, map, set, bytes, buffer, url, regexp])).toStrictEqual([
      ...[
        new Date(5),
        new Map([[1, 2]]),
        new Set([1]),
        Uint8Array.of(1),
        new ArrayBuffer(1),
        new URL('https://x/'),
        /a/g,
      ],
    ])
  })

  it('is not fooled by a tag, a prototype or a proxy', () => {
    const fakes = [
      Object.create(Date.prototype),
      Object.create(Map.prototype),
      Object.create(Uint8Array.prototype),
      Object.create(URL.prototype),
      new Proxy(new Date(0), {}),
      new Proxy(new Map(), {}),
      new Proxy(new Uint8Array(1), {}),
      new Proxy(new URL('https://x/'), {}),
      new Proxy({}, { getPrototypeOf: () => Map.prototype }),
      new Proxy({}, { getPrototypeOf: () => new Proxy(Date.prototype, {}) }),
    ]
    const bomb = () => {
      throw new Error('woken')
    }
    const wakeful = new Proxy({}, { getPrototypeOf: bomb })
    fakes.push(Object.setPrototypeOf(new Date(0), Object.create(wakeful, { constructor: { value: Date } })))
    fakes.push(Object.setPrototypeOf(new Uint8Array(1), Object.create(wakeful, { constructor: { value: Uint8Array } })))
    for (const fake of fakes) expect(copyOf(fake)).toBe(fake)
    const tagged = { [Symbol.toStringTag]: 'Date', a: 1 }
    expect(copyOf(tagged)).toEqual({ a: 1 })
    const throwing = Object.defineProperty({ a: 1 }, Symbol.toStringTag, {
      get: () => {
        throw new Error('called')
      },
    })
    expect(copyOf(throwing)).toEqual({ a: 1 })
  })

  it('passes subclasses and other classes by reference', () => {
    const named = <C extends object>(made: C, name: string): C => Object.defineProperty(made, 'name', { value: name })
    const Sub = { Date: named(class extends Date {}, 'Date'), Map: named(class extends Map {}, 'Map') }
    class Bytes extends Uint8Array {}
    const opaque = [
      new Sub.Date(0),
      new Sub.Map(),
      new Bytes(1),
      new SharedArrayBuffer(1),
      new WeakMap(),
      new Readable(),
      new Boolean(false),
    ]
    for (const value of opaque) expect(copyOf(value)).toBe(value)
  })

  it('does not take an object that inherits from data for plain', () => {
    const heir = Object.create({ amount: 5 })
    expect(copyOf(heir)).toBe(heir)
  })
})

describe('constructorName', () => {
  it('reads plain data only', () => {
    class Account {}
    const bomb = (): never => {
      throw new Error('called')
    }
    expect(constructorName(Account.prototype)).toBe('Account')
    expect(constructorName(Object.defineProperty({}, 'constructor', { get: bomb }))).toBe(undefined)
    expect(constructorName(new Proxy(Account.prototype, { getOwnPropertyDescriptor: bomb }))).toBe(undefined)
    const Named = Object.defineProperty(class {}, 'name', { get: bomb })
    expect(constructorName(Named.prototype)).toBe(undefined)
    expect(constructorName({ constructor: new Proxy(Account, { getOwnPropertyDescriptor: bomb }) })).toBe(undefined)
  })
})
