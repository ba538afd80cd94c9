import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bytesToHex } from '../../src/bytes/hash.js'
import { emptyRoot, isTreeHash, isTreeSize, leafHash, nodeHash, TREE_SIZE_MAX } from '../../src/tree/merkle.js'

const hex = (bytes: Uint8Array): string => bytesToHex(bytes)
const sha256 = (...bytes: number[]): string => createHash('sha256').update(Uint8Array.from(bytes)).digest('hex')
const zeros = new Uint8Array(32)

test('hashes leaves and nodes under different first bytes', () => {
  expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(hex(leafHash(new Uint8Array(0)))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  expect(hex(leafHash(Uint8Array.of(7, 8)))).toBe(sha256(0, 7, 8))
  expect(
    hex(
      nodeHash(
        zeros,
        zeros.map(() => 9),
      ),
    ),
  ).toBe(sha256(1, ...zeros, ...zeros.map(() => 9)))
  expect(hex(leafHash(new Uint8Array(64)))).not.toBe(hex(nodeHash(zeros, zeros)))
})

test('takes a Buffer, and gives an array of its own', () => {
  const root = leafHash(Buffer.from('data'))
  expect(Object.getPrototypeOf(root)).toBe(Uint8Array.prototype)
  expect(nodeHash(Buffer.from(root), Buffer.from(root))).toEqual(nodeHash(root, root))
})

describe('refuses', () => {
  test('a leaf that is not bytes', () => {
    for (const value of ['data', null, undefined, [1], new Uint16Array(2)]) {
      // Callers in plain JavaScript may pass any value.
      expect(() => leafHash(value as unknown as Uint8Array)).toThrow(TypeError)
    }
  })

  test('nodes that are not 32 bytes, though both together are 64', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => nodeHash(new Uint8Array(length), new Uint8Array(64 - length))).toThrow(TypeError)
      expect(() => nodeHash(zeros, new Uint8Array(length))).toThrow(TypeError)
    }
    expect(() => nodeHash('a'.repeat(32) as unknown as Uint8Array, zeros)).toThrow(TypeError)
  })
})

test('isTreeHash and isTreeSize', () => {
  expect([zeros, Buffer.alloc(32)].every(isTreeHash)).toBe(true)
  for (const value of [new Uint8Array(31), new Uint8Array(33), new Uint16Array(32), 'a'.repeat(32), null]) {
    expect(isTreeHash(value)).toBe(false)
  }
  expect([0, 1, TREE_SIZE_MAX].every(isTreeSize)).toBe(true)
  for (const value of [-1, 0.5, TREE_SIZE_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY, 1n, '1', null]) {
    expect(isTreeSize(value)).toBe(false)
  }
})
