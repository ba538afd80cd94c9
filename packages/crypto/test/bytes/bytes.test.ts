import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { bytesEqual, concatBytes, isBytes } from '../../src/bytes/bytes.js'

describe('isBytes', () => {
  test.each([
    ['Uint8Array', new Uint8Array(2)],
    ['Buffer', Buffer.alloc(2)],
    ['Uint8Array of another realm', runInNewContext('new Uint8Array(2)')],
  ])('takes a %s', (_, value) => {
    expect(isBytes(value)).toBe(true)
  })

  test.each([
    ['Uint16Array', new Uint16Array(2)],
    ['Uint8ClampedArray', new Uint8ClampedArray(2)],
    ['Int8Array', new Int8Array(2)],
    ['DataView', new DataView(new ArrayBuffer(2))],
    ['ArrayBuffer', new ArrayBuffer(2)],
    ['array', [1, 2]],
    ['string', 'ab'],
    ['object with the tag', { [Symbol.toStringTag]: 'Uint8Array', length: 2 }],
    ['null', null],
    ['undefined', undefined],
  ])('refuses a %s', (_, value) => {
    expect(isBytes(value)).toBe(false)
  })
})

test('bytesEqual compares length and every byte', () => {
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
  expect(bytesEqual(new Uint8Array(0), new Uint8Array(0))).toBe(true)
})

test('concatBytes copies its parts', () => {
  const part = Uint8Array.of(1, 2)
  const joined = concatBytes(part, new Uint8Array(0), Uint8Array.of(3))
  part[0] = 9
  expect([...joined]).toEqual([1, 2, 3])
  expect(concatBytes().length).toBe(0)
})
