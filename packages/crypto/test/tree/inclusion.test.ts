import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeBase64 } from '../../src/bytes/base64.js'
import { nodeCrypto as platformCrypto } from '../../src/bytes/node-crypto.js'
import { inclusionProof, isIndexOf, isProof, verifyInclusion } from '../../src/tree/inclusion.js'
import { leafHash, PROOF_HASHES_MAX, TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { inclusionPath } from '../../src/tree/path.js'
import { rejectionCodeOf } from '../fixtures/errors.js'
import { leavesOf, NaiveTree, StoredRows } from '../fixtures/naive-tree.js'
import { rfc6962Vectors } from '../fixtures/rfc6962.js'
import { readVectors } from '../fixtures/vectors.js'

const leaves = leavesOf(300)
const naive = new NaiveTree(leaves)
const zeros = new Uint8Array(32)

/** In Node, the package computes every hash with this function. */
const nodeCrypto = platformCrypto ?? expect.fail('no node:crypto')

const leafAt = (index: number): Uint8Array => leaves[index] ?? zeros
const readNaive = (level: number, index: number): Uint8Array => naive.root(index * 2 ** level, (index + 1) * 2 ** level)

const rfc6962 = rfc6962Vectors('inclusion')
describe.skipIf(rfc6962 === null)('RFC 6962 vectors (../shared/vectors/rfc6962/inclusion)', () => {
  test('all are there', () => {
    expect(rfc6962?.filter(({ wantErr }) => wantErr)).toHaveLength(92)
    expect(rfc6962?.filter(({ wantErr }) => !wantErr)).toHaveLength(6)
  })

  test.each(rfc6962 ?? [])('$name', ({ count, hash, proof, wantErr, withHashes }) => {
    expect(withHashes).toBeNull()
    expect(verifyInclusion(hash('leafHash'), count('leafIdx'), count('treeSize'), proof, hash('root'))).toBe(!wantErr)
  })
})

interface Vector {
  readonly name: string
  readonly leaf: string
  readonly index: number | string
  readonly size: number | string
  readonly proof: readonly string[]
  readonly root: string
}

describe.each(['accept', 'reject'])('vectors/merkle/inclusion-%s.json', (verdict) => {
  test.each(readVectors<Vector>(`merkle/inclusion-${verdict}.json`))('$name', ({ leaf, index, size, proof, root }) => {
    const bytes = (base64: string): Uint8Array => decodeBase64(base64) ?? new Uint8Array(0)
    // In the file, counts beyond 2^53 − 1 are strings.
    const count = (n: number | string): number => (typeof n === 'number' ? n : (BigInt(n) as unknown as number))
    expect(verifyInclusion(bytes(leaf), count(index), count(size), proof.map(bytes), bytes(root))).toBe(
      verdict === 'accept',
    )
  })
})

test('known answer: `eit` at index 7 of 15', () => {
  const proof = [
    '2Q0P5jSR+TdkwdXWyx+GbBWX0KZbNZkWzCjyTPSozsw=',
    'ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=',
    'zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=',
    '5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=',
  ].map((base64) => decodeBase64(base64) ?? zeros)
  const root = decodeBase64('rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=') ?? zeros
  const leaf = leafHash(new TextEncoder().encode('eit'))
  expect(verifyInclusion(leaf, 7, 15, proof, root)).toBe(true)
  for (let index = 0; index < 15; index++) expect(verifyInclusion(leaf, index, 15, proof, root)).toBe(index === 7)
  expect(verifyInclusion(leafHash(new TextEncoder().encode('eid')), 7, 15, proof, root)).toBe(false)
})

test('every leaf of every size to 300: the proof is the naive one, and holds', async () => {
  let checked = 0
  for (let size = 1; size <= 300; size++) {
    const root = naive.root(0, size)
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(index, size, readNaive)
      // A byte comparison comes first, because Vitest's equality would take most of the time for 45,000 lists.
      const expected = naive.path(index, 0, size)
      if (!proof.every((hash, i) => Buffer.compare(hash, expected[i] ?? zeros) === 0)) expect(proof).toEqual(expected)
      if (proof.length !== expected.length || !verifyInclusion(leafAt(index), index, size, proof, root)) {
        expect.fail(`index ${index} of size ${size}`)
      }
      checked++
    }
  }
  expect(checked).toBe((300 * 301) / 2)
})

describe('large trees', () => {
  const LEVELS = 20
  let rows: StoredRows

  beforeAll(() => {
    rows = new StoredRows(LEVELS)
  })

  test('random leaves of random sizes to 2^20, in a tree that has grown on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** LEVELS }), fc.nat(), async (size, n) => {
        const index = n % size
        let reads = 0
        const proof = await inclusionProof(index, size, async (level, i) => {
          reads++
          return rows.read(level, i)
        })
        expect(reads).toBeLessThanOrEqual(2 * LEVELS)
        const root = rows.root(0, size)
        expect(verifyInclusion(rows.read(0, index), index, size, proof, root)).toBe(true)
        expect(verifyInclusion(rows.read(0, index ^ 1), index, size, proof, root)).toBe(false)
      }),
      { numRuns: 400 },
    )
  })
})

describe('refuses before it hashes', () => {
  const root = naive.root(0, 13)
  const proof = naive.path(7, 0, 13)
  const hash = zeros
  const bad: [string, unknown, unknown, unknown, unknown, unknown][] = [
    ['a leaf that is too short', zeros.subarray(1), 7, 13, proof, root],
    ['a leaf that is text', 'a'.repeat(32), 7, 13, proof, root],
    ['a root that is too long', leafAt(7), 7, 13, proof, new Uint8Array(33)],
    ['no root', leafAt(7), 7, 13, proof, undefined],
    ['index = size', leafAt(7), 13, 13, proof, root],
    ['index > size', leafAt(7), 14, 13, proof, root],
    ['a negative index', leafAt(7), -1, 13, proof, root],
    ['half an index', leafAt(7), 6.5, 13, proof, root],
    ['NaN', leafAt(7), Number.NaN, 13, proof, root],
    ['an index in text', leafAt(7), '7', 13, proof, root],
    ['a bigint', leafAt(7), 7n, 13n, proof, root],
    ['size 0', leafAt(7), 0, 0, [], root],
    ['size 2^53', leafAt(7), 7, 2 ** 53, Array(53).fill(hash), root],
    ['size 2^64', leafAt(7), 7, 2 ** 64, Array(64).fill(hash), root],
    ['infinite size', leafAt(7), 7, Number.POSITIVE_INFINITY, proof, root],
    ['a proof too short', leafAt(7), 7, 13, proof.slice(1), root],
    ['a proof too long', leafAt(7), 7, 13, [...proof, hash], root],
    ['no proof', leafAt(7), 7, 13, [], root],
    ['65 hashes', leafAt(7), 7, 13, Array(65).fill(hash), root],
    ['a hash of 31 bytes', leafAt(7), 7, 13, [...proof.slice(1), zeros.subarray(1)], root],
    ['a hash of 33 bytes', leafAt(7), 7, 13, [new Uint8Array(33), ...proof.slice(1)], root],
    ['a hash that is text', leafAt(7), 7, 13, ['a'.repeat(32), ...proof.slice(1)], root],
    ['a hole', leafAt(7), 7, 13, Array(proof.length), root],
    ['null for the proof', leafAt(7), 7, 13, null, root],
    ['an object for the proof', leafAt(7), 7, 13, { length: 4 }, root],
  ]
  test.each(bad)('%s', (_, ...args) => {
    const spy = vi.spyOn(nodeCrypto, 'hash')
    expect(verifyInclusion(...(args as Parameters<typeof verifyInclusion>))).toBe(false)
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
  })
})

test('every byte of leaf, proof and root flipped, every other index and size: false', () => {
  const size = 300
  const index = 217
  const root = naive.root(0, size)
  const proof = naive.path(index, 0, size)
  const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte))
  expect(verifyInclusion(leafAt(index), index, size, proof, root)).toBe(true)
  for (let at = 0; at < 32; at++) {
    expect(verifyInclusion(flip(leafAt(index), at), index, size, proof, root)).toBe(false)
    expect(verifyInclusion(leafAt(index), index, size, proof, flip(root, at))).toBe(false)
    for (let i = 0; i < proof.length; i++) {
      const bent = proof.map((hash, j) => (i === j ? flip(hash, at) : hash))
      expect(verifyInclusion(leafAt(index), index, size, bent, root)).toBe(false)
    }
  }
  for (let other = 0; other < size; other++) {
    expect(verifyInclusion(leafAt(index), other, size, proof, root)).toBe(other === index)
  }
  expect(verifyInclusion(leafAt(index), index, size, proof.toReversed(), root)).toBe(false)
})

describe('inclusionProof', () => {
  test('refuses a leaf that the tree does not have', async () => {
    for (const [index, size] of [
      [0, 0],
      [5, 5],
      [-1, 5],
      [1.5, 5],
      [0, 2 ** 53],
      [Number.NaN, 5],
    ] as const) {
      await expect(inclusionProof(index, size, readNaive)).rejects.toThrow(RangeError)
    }
  })

  test('a store with a hole in it is a damaged tree', async () => {
    const read = (level: number): Uint8Array => (level === 1 ? new Uint8Array(0) : zeros)
    expect(await rejectionCodeOf(inclusionProof(0, 9, read))).toBe('TREE_INVALID')
  })

  test('the largest tree', async () => {
    let reads = 0
    const proof = await inclusionProof(0, TREE_SIZE_MAX, () => {
      reads++
      return zeros
    })
    expect(proof).toHaveLength(53)
    expect(proof.length).toBeLessThan(PROOF_HASHES_MAX)
    expect(reads).toBe(52 + 52)
    expect(inclusionPath(TREE_SIZE_MAX - 1, TREE_SIZE_MAX).every(({ side }) => side === 'left')).toBe(true)
  })
})

test('isIndexOf and isProof', () => {
  expect([isIndexOf(0, 1), isIndexOf(1, 1), isIndexOf(0, 0), isIndexOf(0, 2 ** 53)]).toEqual([
    true,
    false,
    false,
    false,
  ])
  expect(isProof([]) && isProof(Array(64).fill(zeros))).toBe(true)
  expect(isProof(Array(65).fill(zeros)) || isProof(null) || isProof([zeros, null])).toBe(false)
})
