import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../../src/bytes/hash.js'
import { DER, DerReader, encodeDer, encodeDerInteger } from '../../src/key/der.js'
import { codeOf } from '../fixtures/errors.js'

const readerOf = (hex: string): DerReader => new DerReader(hexToBytes(hex))

test('an element is its tag, the shortest length, and its content', () => {
  for (const [length, head] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_535, '0482ffff'],
  ] as const) {
    const element = encodeDer(DER.octets, new Uint8Array(length))
    expect(bytesToHex(element)).toBe(head + '00'.repeat(length))
    const reader = new DerReader(element)
    expect(reader.read(DER.octets)).toHaveLength(length)
    reader.end()
  }
  expect(() => encodeDer(DER.octets, new Uint8Array(65_536))).toThrow(RangeError)
})

test.each([
  [0, '020100'],
  [127, '02017f'],
  [128, '02020080'],
  [600_000, '0203 0927c0'.replace(' ', '')],
  [2 ** 48 - 1, '020700ffffffffffff'],
])('the INTEGER of %d', (value, hex) => {
  expect(bytesToHex(encodeDerInteger(value))).toBe(hex)
  expect(readerOf(hex).readInteger()).toBe(value)
})

test('reads what it writes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 ** 48 - 1 }), { maxLength: 5 }), fc.uint8Array(), (numbers, bytes) => {
      const inner = encodeDer(DER.sequence, ...numbers.map(encodeDerInteger), encodeDer(DER.octets, bytes))
      const outer = new DerReader(inner)
      const reader = outer.readSequence()
      expect(numbers.map(() => reader.readInteger())).toEqual(numbers)
      expect(reader.isNext(DER.octets)).toBe(true)
      expect(reader.read(DER.octets)).toEqual(bytes)
      expect(reader.isNext(DER.octets)).toBe(false)
      reader.end()
      outer.end()
    }),
  )
})

test('an INTEGER of more than six bytes is past every limit', () => {
  expect(readerOf('020701000000000000').readInteger()).toBe(Number.POSITIVE_INFINITY)
  expect(readerOf(`0281c8${'7f'.repeat(200)}`).readInteger()).toBe(Number.POSITIVE_INFINITY)
})

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['another tag', '0201ff'],
    ['no length', '04'],
    ['too little content', '0402ff'],
    ['a length that fits into one byte', `047f${'00'.repeat(126)}`],
    ['a long length where a short one does', `04817f${'00'.repeat(127)}`],
    ['two bytes of length where one does', `048200ff${'00'.repeat(255)}`],
    ['a length without its second byte', '0481'],
    ['an indefinite length', '0480ff0000'],
    ['a length of three bytes', `0483010000${'00'.repeat(65_536)}`],
  ])('%s', (_, hex) => {
    expect(codeOf(() => readerOf(hex).read(DER.octets))).toBe('KEY_INVALID')
  })

  test.each([
    ['an empty INTEGER', '0200'],
    ['a negative one', '0201ff'],
    ['one with a zero too many', '02020001'],
  ])('%s', (_, hex) => {
    expect(codeOf(() => readerOf(hex).readInteger())).toBe('KEY_INVALID')
  })

  test('what is left over', () => {
    expect(codeOf(() => readerOf('00').end())).toBe('KEY_INVALID')
    expect(codeOf(() => readerOf('040100').readSequence())).toBe('KEY_INVALID')
  })
})
