import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { sameSnapshot, takeSnapshot, takeValue } from '../../src/arguments/snapshot.js'

const copyOf = (value: unknown): unknown => takeSnapshot([value]).values[0]
const isUnchanged = (value: unknown): boolean => sameSnapshot(takeSnapshot([value]), takeSnapshot([value]))
const differ = (a: unknown, b: unknown): boolean => !sameSnapshot(takeSnapshot([a]), takeSnapshot([b]))

describe('takeSnapshot', () => {
  it('is not moved by what becomes of the caller objects', () => {
    const order = { amount: 5, lines: [{ sku: 'a' }], at: new Date(0), tags: new Map([['k', { v: 1 }]]) }
    const { values } = takeSnapshot([order])
    order.amount = 5_000_000
    order.lines.push({ sku: 'b' })
    order.at.setTime(1)
    order.tags.clear()
    expect(values).toEqual([{ amount: 5, lines: [{ sku: 'a' }], at: new Date(0), tags: new Map([['k', { v: 1 }]]) }])
  })

  it('calls a getter once and keeps its value', () => {
    let reads = 0
    const order = {
      get amount() {
        return ++reads
      },
    }
    const copy = copyOf(order)
    expect(reads).toBe(1)
    expect(copy).toEqual({ amount: 1 })
    expect(Object.getOwnPropertyDescriptor(copy, 'amount')).toEqual({
      value: 1,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  })

  it('reads a proxy once per property, however it lies afterwards', () => {
    const reads: PropertyKey[] = []
    const liar = new Proxy(
      { amount: 0 },
      {
        get: (_, key) => {
          reads.push(key)
          return reads.length === 1 ? 5 : 5_000_000
        },
      },
    )
    const { values } = takeSnapshot([liar])
    expect(values).toEqual([{ amount: 5 }])
    expect(reads).toEqual(['amount'])
  })

  it('reads an array behind a proxy once per element', () => {
    const reads: PropertyKey[] = []
    const list = new Proxy([1, 2], {
      get: (target, key, receiver) => {
        reads.push(key)
        return Reflect.get(target, key, receiver)
      },
    })
    expect(copyOf(list)).toEqual([1, 2])
    expect(reads).toEqual(['length', '0', '1'])
  })

  it('calls none of the hooks by which an object converts itself', () => {
    const bomb = () => {
      throw new Error('called')
    }
    const hostile = {
      toJSON: bomb,
      valueOf: bomb,
      toString: bomb,
      [Symbol.toPrimitive]: bomb,
      [Symbol.iterator]: bomb,
      // biome-ignore lint/suspicious/noThenProperty: the test checks that nothing calls it
      then: bomb,
    }
    const copy = copyOf(hostile) as Record<PropertyKey, unknown>
    expect(copy.toJSON).toBe(bomb)
    expect(Object.getOwnPropertySymbols(copy)).toEqual([])
  })

  it('keeps `__proto__` and `constructor` as own, ordinary keys', () => {
    const copy = copyOf(
      JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}'),
    ) as object
    expect(Object.keys(copy)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect('admin' in copy).toBe(false)
    expect('admin' in {}).toBe(false)
  })

  it('keeps a null prototype, and takes plain objects and arrays of another realm', () => {
    expect(Object.getPrototypeOf(copyOf(Object.assign(Object.create(null), { a: 1 })))).toBe(null)
    const foreign = runInNewContext('({ a: [1, { b: 2 }] })')
    const copy = copyOf(foreign) as { a: unknown[] }
    expect(copy).toStrictEqual({ a: [1, { b: 2 }] })
    expect(copy.a).toBeInstanceOf(Array)
  })

  it('takes own enumerable string keys only, elements only, and makes holes undefined', () => {
    const object = Object.defineProperty(
      Object.assign(Object.create(Object.prototype), { a: 1, [Symbol('s')]: 2 }),
      'hidden',
      {
        value: 3,
        enumerable: false,
      },
    )
    expect(Reflect.ownKeys(copyOf(object) as object)).toEqual(['a'])
    // biome-ignore lint/suspicious/noSparseArray: the test needs the hole
    const array = Object.assign([1, , 3], { extra: 4 })
    expect(copyOf(array)).toStrictEqual([1, undefined, 3])
  })

  it('copies what stands in two places twice', () => {
    const shared = { a: 1 }
    const [first, second] = takeSnapshot([shared, shared]).values
    expect(first).toEqual(second)
    expect(first).not.toBe(second)
  })

  it('passes by reference what it cannot copy faithfully', () => {
    class Account {
      balance = 1
    }
    class Moment extends Date {}
    const opaque = [
      new Account(),
      new Moment(0),
      () => 1,
      Symbol('s'),
      Promise.resolve(),
      new Error('e'),
      new AbortController().signal,
    ]
    expect(takeSnapshot(opaque).values).toStrictEqual(opaque)
    for (const [index, value] of takeSnapshot(opaque).values.entries()) expect(value).toBe(opaque[index])
  })

  it('gives a frozen list of arguments whose contents the function may change', () => {
    const snapshot = takeSnapshot([{ a: 1 }])
    expect(Object.isFrozen(snapshot)).toBe(true)
    expect(Object.isFrozen(snapshot.values)).toBe(true)
    expect(Object.isFrozen(snapshot.values[0])).toBe(false)
  })

  it('refuses arguments that are no list', () => {
    expect(() => takeSnapshot({ length: 1, 0: 'x' } as unknown as unknown[])).toThrow(
      expect.objectContaining({ code: 'PARAMETERS_INVALID', path: 'args' }),
    )
  })
})

describe('takeSnapshot on a polluted realm', () => {
  const planted: [object, PropertyKey][] = []
  const plant = (holder: object, key: PropertyKey) => {
    const set = () => {
      throw new Error('a planted setter ran')
    }
    Object.defineProperty(holder, key, { set, get: () => undefined, configurable: true })
    planted.push([holder, key])
  }
  afterEach(() => {
    for (const [holder, key] of planted.splice(0)) Reflect.deleteProperty(holder, key)
  })

  it('defines members and elements, so that a planted setter does not see them', () => {
    const args = [{ amount: 5, list: ['x'] }]
    plant(Object.prototype, 'amount')
    plant(Array.prototype, '1000')
    const list = Array.from({ length: 1001 }, (_, index) => index)
    expect(takeSnapshot(args).values).toEqual([{ amount: 5, list: ['x'] }])
    expect((copyOf(list) as number[])[1000]).toBe(1000)
  })
})

describe('takeValue', () => {
  it('names the value in its refusals', () => {
    expect(takeValue({ a: [1] }, 'metadata')).toEqual({ a: [1] })
    expect(() => takeValue({ a: Number.NaN }, 'metadata')).toThrow(expect.objectContaining({ path: 'metadata.a' }))
  })
})

describe('sameSnapshot', () => {
  it('finds a mutation while a decision was open', () => {
    const order = { amount: 5, to: { iban: 'DE02' } }
    const before = takeSnapshot([order])
    expect(sameSnapshot(before, takeSnapshot([order]))).toBe(true)
    order.to.iban = 'XX99'
    expect(sameSnapshot(before, takeSnapshot([order]))).toBe(false)
  })

  it('finds a getter or a proxy that answers differently', () => {
    let reads = 0
    expect(
      isUnchanged({
        get amount() {
          return ++reads
        },
      }),
    ).toBe(false)
    expect(isUnchanged(new Proxy({ amount: 1 }, { get: () => ++reads }))).toBe(false)
    expect(
      isUnchanged({
        get callback() {
          return () => {}
        },
      }),
    ).toBe(false)
  })

  it('compares by value what was copied, by identity what was not', () => {
    class Account {}
    const account = new Account()
    expect(
      isUnchanged([
        account,
        new Date(1),
        new URL('https://x/'),
        new Set([1]),
        /a/g,
        new Uint8Array([1]),
        1n,
        undefined,
      ]),
    ).toBe(true)
    expect(differ(new Account(), new Account())).toBe(true)
    expect(differ(new Date(1), new Date(2))).toBe(true)
    expect(differ(new URL('https://x/'), new URL('https://y/'))).toBe(true)
    expect(differ(new Set([1]), new Set([2]))).toBe(true)
    expect(differ(/a/g, /a/i)).toBe(true)
    expect(differ(new Map([['a', 1]]), new Map([['a', 2]]))).toBe(true)
    expect(differ(new Map([['a', [1]]]), new Map([['a', [1]]]))).toBe(false)
    expect(differ(new Uint8Array([1]), new Uint8Array([2]))).toBe(true)
    expect(differ(Uint8Array.of(1), Int8Array.of(1))).toBe(true)
  })

  it.each([
    [0, -0],
    [1, 1n],
    [undefined, null],
    [[undefined], []],
    [{ a: undefined }, {}],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { b: 1 }],
    [/a/g, Object.assign(/a/g, { lastIndex: 1 })],
    [{}, []],
    [{}, Object.create(null)],
    [new Date(0), new URL('https://x/')],
    [['a', 'b'], ['a,b']],
    [{ 0: 'a' }, ['a']],
    ['a', Symbol.for('a')],
  ])('tells %o from %o', (a, b) => {
    expect(differ(a, b)).toBe(true)
  })

  it('does not ask an opaque value what it is: a proxy cannot turn plain later', () => {
    let prototype: object = class Safe {}.prototype
    const traps: string[] = []
    const make = () =>
      new Proxy({} as object, {
        getPrototypeOf: () => {
          traps.push('getPrototypeOf')
          return prototype
        },
      })
    const a = takeSnapshot([make()])
    const b = takeSnapshot([make()])
    prototype = Object.prototype
    traps.length = 0
    expect(sameSnapshot(a, b)).toBe(false)
    expect(traps).toEqual([])
  })

  it('holds for any data, and fails when one leaf of it changes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (json) => {
        const data = { json, leaf: 1 }
        const before = takeSnapshot([data])
        expect(before.values).toEqual([data])
        expect(sameSnapshot(before, takeSnapshot([structuredClone(data)]))).toBe(true)
        data.leaf = 2
        expect(sameSnapshot(before, takeSnapshot([data]))).toBe(false)
      }),
    )
  })
})
