import { Point } from '@noble/ed25519'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../../src/bytes/hash.js'
import { isTorsionFreeR, isWellFormedSignature, publicKeyFault } from '../../src/key/curve-check.js'
import { NON_CANONICAL_SMALL_ORDER_POINTS, SMALL_ORDER_POINTS, TORSION } from '../fixtures/curve-points.js'

const good = Point.BASE.multiply(12345n)
const ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

function signature(r: Uint8Array, s: Uint8Array): Uint8Array {
  return Uint8Array.from([...r, ...s])
}

test('the test points are what they are said to be', () => {
  expect(SMALL_ORDER_POINTS.map((bytes) => Point.fromBytes(bytes).isSmallOrder())).toEqual(Array(8).fill(true))
  expect(new Set(SMALL_ORDER_POINTS.map(bytesToHex)).size).toBe(8)
  expect(TORSION.double().double().is0()).toBe(false)
  expect(TORSION.clearCofactor().is0()).toBe(true)
  // ZIP-215 accepts encodings that RFC 8032 refuses.
  for (const bytes of NON_CANONICAL_SMALL_ORDER_POINTS) expect(Point.fromBytes(bytes, true).isSmallOrder()).toBe(true)
})

describe('publicKeyFault', () => {
  test('finds none in an honest key', () => {
    expect(publicKeyFault(good.toBytes())).toBeNull()
    expect(publicKeyFault(Point.BASE.toBytes())).toBeNull()
  })

  test('says the same of a key again, after others and after many', () => {
    const mixed = good.add(TORSION).toBytes()
    const verdicts = () => [good.toBytes(), mixed, SMALL_ORDER_POINTS[4] ?? mixed].map(publicKeyFault)
    const first = verdicts()
    expect(first).toEqual([null, 'mixed order', 'small order'])
    expect(verdicts()).toEqual(first)
    for (let n = 2n; n < 300n; n += 1n) expect(publicKeyFault(Point.BASE.multiply(n).toBytes())).toBeNull()
    expect(verdicts()).toEqual(first)
    // The cache compares the content of the bytes, not the identity of the object.
    const bytes = good.toBytes()
    publicKeyFault(bytes)
    bytes.set(mixed)
    expect(publicKeyFault(bytes)).toBe('mixed order')
  })

  test.each(SMALL_ORDER_POINTS.map((bytes) => [bytesToHex(bytes), bytes] as const))('small order: %s', (_, bytes) => {
    expect(publicKeyFault(bytes)).toBe('small order')
  })

  test.each(NON_CANONICAL_SMALL_ORDER_POINTS.map((bytes) => [bytesToHex(bytes), bytes] as const))(
    'not canonical: %s',
    (_, bytes) => {
      expect(publicKeyFault(bytes)).toBe('not a point')
    },
  )

  test('mixed order', () => {
    expect(publicKeyFault(good.add(TORSION).toBytes())).toBe('mixed order')
    expect(publicKeyFault(good.add(Point.fromBytes(hexToBytes(`ec${'ff'.repeat(30)}7f`))).toBytes())).toBe(
      'mixed order',
    )
  })

  test.each([
    ['y with no x on the curve', `02${'00'.repeat(31)}`],
    ['all bits set', 'ff'.repeat(32)],
    ['31 bytes', '00'.repeat(31)],
    ['33 bytes', '00'.repeat(33)],
    ['nothing', ''],
  ])('%s is no point', (_, hex) => {
    expect(publicKeyFault(hexToBytes(hex))).toBe('not a point')
  })
})

describe('isWellFormedSignature', () => {
  const r = good.toBytes()
  const s = new Uint8Array(32).fill(1)

  test('wants 64 bytes', () => {
    expect(isWellFormedSignature(signature(r, s))).toBe(true)
    expect(isWellFormedSignature(signature(r, s).slice(1))).toBe(false)
    expect(isWellFormedSignature(signature(r, Uint8Array.from([...s, 0])))).toBe(false)
    expect(isWellFormedSignature(new Uint8Array(0))).toBe(false)
  })

  test('wants S below the group order', () => {
    const s = (change: (bytes: Uint8Array) => void): Uint8Array => {
      const bytes = Uint8Array.from(ORDER)
      change(bytes)
      return bytes
    }
    const set = (at: number, value: number) => (bytes: Uint8Array) => {
      bytes[at] = value
    }
    expect(isWellFormedSignature(signature(r, new Uint8Array(32)))).toBe(true)
    expect(isWellFormedSignature(signature(r, s(set(0, 0xec))))).toBe(true)
    expect(isWellFormedSignature(signature(r, s(set(31, 0x0f))))).toBe(true)
    expect(isWellFormedSignature(signature(r, s(set(15, 0x13))))).toBe(true)
    expect(isWellFormedSignature(signature(r, ORDER))).toBe(false)
    expect(isWellFormedSignature(signature(r, s(set(0, 0xee))))).toBe(false)
    expect(isWellFormedSignature(signature(r, s(set(16, 1))))).toBe(false)
    expect(isWellFormedSignature(signature(r, s(set(31, 0x30))))).toBe(false)
    expect(isWellFormedSignature(signature(r, new Uint8Array(32).fill(0xff)))).toBe(false)
  })

  test('refuses every R of small order, in every encoding', () => {
    for (const point of [...SMALL_ORDER_POINTS, ...NON_CANONICAL_SMALL_ORDER_POINTS]) {
      expect(isWellFormedSignature(signature(point, s))).toBe(false)
    }
  })

  test('takes an R that only looks like one', () => {
    for (const point of SMALL_ORDER_POINTS) {
      const near = Uint8Array.from(point)
      near[20] = (near[20] ?? 0) ^ 1
      expect(isWellFormedSignature(signature(near, s))).toBe(true)
    }
  })
})

test('isTorsionFreeR looks at the first 32 bytes', () => {
  const s = new Uint8Array(32)
  expect(isTorsionFreeR(signature(good.toBytes(), s))).toBe(true)
  expect(isTorsionFreeR(signature(good.add(TORSION).toBytes(), s))).toBe(false)
  expect(isTorsionFreeR(signature(hexToBytes(`02${'00'.repeat(31)}`), s))).toBe(false)
})
