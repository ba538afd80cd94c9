import { expect, it } from 'vitest'
import { isInstance, kindOf, markCopy } from '../../src/arguments/kind.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'

it('knows the copies that were marked, and nothing else', () => {
  const copy = markCopy({}, 'object')
  expect(kindOf(copy)).toBe('object')
  for (const other of [{}, [], new Proxy(copy, {}), null, undefined, 1, 'object', () => 1])
    expect(kindOf(other)).toBe(undefined)
})

it('is the kind of every copy in a snapshot', () => {
  const args = [
    {},
    [],
    new Date(0),
    new Map(),
    new Set(),
    new URL('https://x/'),
    /a/,
    new ArrayBuffer(1),
    Buffer.alloc(1),
    new (class {})(),
  ]
  expect(takeSnapshot(args).values.map(kindOf)).toEqual([
    ...['object', 'array', 'date', 'map', 'set', 'url', 'regexp', 'binary', 'binary', undefined],
  ])
  expect(args.map(kindOf)).toEqual(args.map(() => undefined))
})

it('knows the copy of a receiver that is an instance, and no other copy', () => {
  class List extends Array<number> {}
  const isInstanceCopy = (value: unknown): boolean => isInstance(takeSnapshot([], 'refuse', { value }).receiver)
  for (const value of [new (class {})(), new Error('x'), List.from([1]), new Proxy(new List(), {})])
    expect(isInstanceCopy(value)).toBe(true)
  // Maps and other built-in objects have kinds of their own.
  for (const value of [{}, [], Object.create(null), new Proxy([], {}), new Map(), new Date(0)])
    expect(isInstanceCopy(value)).toBe(false)
  for (const other of [new List(), null, undefined, 1, () => 1]) expect(isInstance(other)).toBe(false)
  expect(takeSnapshot([new List()]).values.map(isInstance)).toEqual([false])
})
