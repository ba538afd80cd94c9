// Compares the numbers that `Varints` reads with the definition in SQLite's file format: eight bytes of seven bits,
// the highest bit set in all but the last, and a ninth byte of eight bits.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Varints } from '../../src/sqlite-file/format.js'

function encode(value: bigint): number[] {
  const unsigned = BigInt.asUintN(64, value)
  if (unsigned >= 1n << 56n) {
    const seven = Array.from({ length: 8 }, (_, n) => Number((unsigned >> BigInt(8 + 7 * (7 - n))) & 0x7fn) | 0x80)
    return [...seven, Number(unsigned & 0xffn)]
  }
  const bytes = [Number(unsigned & 0x7fn)]
  for (let rest = unsigned >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80)
  return bytes
}

function read(bytes: readonly number[], at = 0): { readonly values: number[]; readonly at: number } {
  const varints = new Varints()
  varints.begin(Buffer.from(bytes), at)
  return { values: [varints.next(), varints.next()], at: varints.at }
}

describe('numbers of a cell', () => {
  const boundaries = Array.from({ length: 64 }, (_, bit) => [(1n << BigInt(bit)) - 1n, 1n << BigInt(bit)]).flat()

  it.each([...boundaries, -1n, -(2n ** 53n), -(2n ** 63n), 2n ** 63n - 1n])(
    '%s, followed by another number',
    (value) => {
      const bytes = encode(value)
      const { values, at } = read([...bytes, 0x7f])
      expect(values).toEqual([Number(BigInt.asIntN(64, value)), 0x7f])
      expect(at).toBe(bytes.length + 1)
    },
  )

  it('any two numbers of at most 53 bits', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 53n), 2n ** 53n), fc.bigInt(0n, 2n ** 36n), (first, second) => {
        expect(read([0xff, ...encode(first), ...encode(second)], 1).values).toEqual([Number(first), Number(second)])
      }),
    )
  })

  it('a number that the bytes cut off is NaN', () => {
    const whole = encode(-5n)
    for (let length = 0; length < whole.length; length += 1) expect(read(whole.slice(0, length)).values[0]).toBeNaN()
  })
})
