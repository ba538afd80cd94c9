import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { memberOf, quote, readFields, requireInstantMs, requireInteger, requireText } from '../src/check.js'

describe('readFields', () => {
  test('names the option that was meant', () => {
    for (const name of ['perTools', 'pertool', 'preTool', 'perTol']) {
      expect(() => readFields('limits', { [name]: 1 }, ['windowMs', 'perTool', 'perAgent'])).toThrow(
        /did you mean `perTool`\?/,
      )
    }
    expect(() => readFields('limits', { colour: 1 }, ['windowMs', 'perTool'])).toThrow(
      /the options are `windowMs`, `perTool`/,
    )
  })

  test('refuses what is no object, symbols, and hostile names without showing them raw', () => {
    for (const value of [null, undefined, 1, 'x', [], true])
      expect(() => readFields('limits', value, [])).toThrow(TypeError)
    expect(() => readFields('limits', { [Symbol('x')]: 1 }, ['x'])).toThrow(TypeError)
    const hostile = `\u001b[2J${'x'.repeat(10_000)}`
    expect(() => readFields('limits', { [hostile]: 1 }, ['x'])).toThrow(/^limits: unknown option `\\u\{1b\}\[2Jx{76}…`/)
  })

  test('reads each field once, own ones only', () => {
    let reads = 0
    const value = Object.create({ inherited: 1 }, { own: { enumerable: true, get: () => ++reads } })
    expect([...readFields('limits', value, ['own', 'inherited'])]).toEqual([['own', 1]])
    expect(reads).toBe(1)
  })
})

test('memberOf: own members and those of a class, none of all objects', () => {
  class Store {
    reserve(): void {}
    get key(): string {
      return 'shared'
    }
  }
  expect(memberOf(new Store(), 'reserve')).toBe(Store.prototype.reserve)
  expect(memberOf(new Store(), 'key')).toBe('shared')
  expect(memberOf(Object.assign(Object.create(null), { a: 1 }), 'a')).toBe(1)
  for (const value of [{}, new Store(), Object.create({}), null, 'text'])
    expect(memberOf(value, 'toString')).toBeUndefined()
})

test('requireText: a well-formed string within its bound', () => {
  expect(requireText('name', 'é😀', 3)).toBe('é😀')
  expect(requireText('name', '', 3, true)).toBe('')
  for (const value of ['', 'long', '\ud800', 1, null, undefined, {}])
    expect(() => requireText('name', value, 3)).toThrow(TypeError)
})

test('requireInteger: an exact integer within its bounds', () => {
  expect(requireInteger('n', 3, 3, 3)).toBe(3)
  for (const value of [2, 4, 3.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '3', 3n, null]) {
    expect(() => requireInteger('n', value, 3, 3)).toThrow(TypeError)
  }
})

test('requireInstantMs: the slot of a Date, of any realm, whatever its methods say', () => {
  expect(requireInstantMs('now', new Date(5))).toBe(5)
  expect(requireInstantMs('now', runInNewContext('new Date(5)'))).toBe(5)
  expect(requireInstantMs('now', Object.assign(new Date(5), { getTime: () => 9 }))).toBe(5)
  for (const value of [new Date(Number.NaN), 5, '2026-01-01', null, { getTime: () => 5 }]) {
    expect(() => requireInstantMs('now', value)).toThrow(TypeError)
  }
})

test('quote neutralises and shortens', () => {
  expect(quote('a\nb')).toBe('`a\\u{a}b`')
  expect(quote('x'.repeat(100))).toBe(`\`${'x'.repeat(80)}…\``)
})
