import { expect, it } from 'vitest'
import { kindOf, markCopy } from '../../src/arguments/kind.js'
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
