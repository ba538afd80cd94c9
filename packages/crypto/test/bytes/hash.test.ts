import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes, isHash, sha256, sha256Hex } from '../../src/bytes/hash.js'
import { anyText } from '../fixtures/arbitraries.js'
import { codeOf } from '../fixtures/errors.js'

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('sha256', () => {
  test('is that of FIPS 180-4', () => {
    expect(sha256Hex('abc')).toBe(ABC)
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(bytesToHex(sha256(new TextEncoder().encode('abc')))).toBe(ABC)
  })

  test('hashes a string as UTF-8', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const expected = createHash('sha256').update(text, 'utf8').digest('hex')
        expect(sha256Hex(text)).toBe(expected)
        expect(sha256Hex(new TextEncoder().encode(text))).toBe(expected)
      }),
    )
  })

  test('gives plain bytes that nobody else holds', () => {
    const digest = sha256(Uint8Array.of(1))
    expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
    expect(digest.buffer.byteLength).toBe(32)
  })

  test.each(['\ud800', 'a\udc00', '\udc00\ud800'])('refuses a lone surrogate (%#)', (text) => {
    expect(codeOf(() => sha256Hex(text))).toBe('VALUE_REFUSED')
  })
})

test('isHash takes 64 lower-case hex digits only', () => {
  expect(isHash(ABC)).toBe(true)
  for (const value of [
    ABC.toUpperCase(),
    ABC.slice(1),
    `${ABC}0`,
    `${ABC}\n`,
    `g${ABC.slice(1)}`,
    '',
    null,
    7,
    [ABC],
  ]) {
    expect(isHash(value)).toBe(false)
  }
})

describe('hex', () => {
  test('goes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesToHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(hexToBytes(bytesToHex(bytes))).toEqual(bytes)
      }),
    )
  })

  test.each(['0', 'abc', 'AB', '0x', ' 00', '00\n', 'zz', '+1'])('refuses `%s`', (hex) => {
    expect(codeOf(() => hexToBytes(hex))).toBe('VALUE_REFUSED')
  })
})
