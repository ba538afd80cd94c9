import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeBase64 } from '../../src/bytes/base64.js'
import { nodeCrypto as platformCrypto } from '../../src/bytes/node-crypto.js'
import { consistencyProof, verifyConsistency } from '../../src/tree/consistency.js'
import { emptyRoot, PROOF_HASHES_MAX, TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { rejectionCodeOf } from '../fixtures/errors.js'
import { leavesOf, NaiveTree, StoredRows } from '../fixtures/naive-tree.js'
import { type Rfc6962Vector, rfc6962Vectors } from '../fixtures/rfc6962.js'
import { readVectors } from '../fixtures/vectors.js'

const naive = new NaiveTree(leavesOf(300))
const zeros = new Uint8Array(32)

/** In Node, the package computes every hash with this function. */
const nodeCrypto = platformCrypto ?? expect.fail('no node:crypto')

const readNaive = (level: number, index: number): Uint8Array => naive.root(index * 2 ** level, (index + 1) * 2 ** level)

const rfc6962 = rfc6962Vectors('consistency')
describe.skipIf(rfc6962 === null)('RFC 6962 vectors (../shared/vectors/rfc6962/consistency)', () => {
  const verify = (v: Rfc6962Vector, { hash, proof }: Pick<Rfc6962Vector, 'hash' | 'proof'>): boolean =>
    verifyConsistency(v.count('size1'), v.count('size2'), hash('root1'), hash('root2'), proof)

  test('all are there', () => {
    expect(rfc6962?.filter(({ wantErr }) => wantErr)).toHaveLength(92)
    expect(rfc6962?.filter(({ wantErr }) => !wantErr)).toHaveLength(6)
  })

  test.each(rfc6962 ?? [])('$name', (vector) => {
    expect(verify(vector, vector)).toBe(!vector.wantErr && vector.withHashes === null)
    if (vector.withHashes !== null) expect(verify(vector, vector.withHashes)).toBe(true)
  })
})

interface Vector {
  readonly name: string
  readonly old_size: number | string
  readonly new_size: number | string
  readonly old_root: string
  readonly new_root: string
  readonly proof: readonly string[]
}

describe.each(['accept', 'reject'])('vectors/merkle/consistency-%s.json', (verdict) => {
  test.each(readVectors<Vector>(`merkle/consistency-${verdict}.json`))('$name', (v) => {
    const bytes = (base64: string): Uint8Array => decodeBase64(base64) ?? new Uint8Array(0)
    // In the file, counts beyond 2^53 − 1 are strings.
    const count = (n: number | string): number => (typeof n === 'number' ? n : (BigInt(n) as unknown as number))
    expect(
      verifyConsistency(count(v.old_size), count(v.new_size), bytes(v.old_root), bytes(v.new_root), v.proof.map(bytes)),
    ).toBe(verdict === 'accept')
  })
})

test('every pair of sizes to 300: the proof is the naive one, and holds', async () => {
  let checked = 0
  for (let newSize = 1; newSize <= 300; newSize++) {
    const newRoot = naive.root(0, newSize)
    for (let oldSize = 1; oldSize <= newSize; oldSize++) {
      const proof = await consistencyProof(oldSize, newSize, readNaive)
      // A byte comparison comes first, because Vitest's equality would take most of the time for 45,000 lists.
      const expected = naive.subproof(oldSize, 0, newSize, true)
      if (!proof.every((hash, i) => Buffer.compare(hash, expected[i] ?? zeros) === 0)) expect(proof).toEqual(expected)
      const oldRoot = naive.root(0, oldSize)
      if (proof.length !== expected.length || !verifyConsistency(oldSize, newSize, oldRoot, newRoot, proof)) {
        expect.fail(`from size ${oldSize} to ${newSize}`)
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

  test('random pairs of sizes to 2^20, in a tree that has grown on', async () => {
    const size = fc.integer({ min: 1, max: 2 ** LEVELS })
    await fc.assert(
      fc.asyncProperty(size, size, async (a, b) => {
        const [oldSize, newSize] = a < b ? [a, b] : [b, a]
        let reads = 0
        const proof = await consistencyProof(oldSize, newSize, async (level, i) => {
          reads++
          return rows.read(level, i)
        })
        expect(reads).toBeLessThanOrEqual(2 * LEVELS)
        const oldRoot = rows.root(0, oldSize)
        const newRoot = rows.root(0, newSize)
        expect(verifyConsistency(oldSize, newSize, oldRoot, newRoot, proof)).toBe(true)
        if (oldSize === newSize) return
        expect(verifyConsistency(oldSize, newSize, newRoot, oldRoot, proof)).toBe(false)
        expect(verifyConsistency(oldSize, newSize, newRoot, newRoot, proof)).toBe(false)
        expect(verifyConsistency(oldSize, newSize, oldRoot, oldRoot, proof)).toBe(false)
      }),
      { numRuns: 400 },
    )
  })
})

test('a tree with another history has no proof: every pair to 40 against every proof of the true one', () => {
  const forked = new NaiveTree(leavesOf(40).map((leaf, i) => (i === 2 ? zeros : leaf)))
  for (let newSize = 4; newSize <= 40; newSize++) {
    for (let oldSize = 3; oldSize < newSize; oldSize++) {
      const oldRoot = naive.root(0, oldSize)
      const newRoot = forked.root(0, newSize)
      for (const tree of [naive, forked]) {
        const proof = tree.subproof(oldSize, 0, newSize, true)
        expect(verifyConsistency(oldSize, newSize, oldRoot, newRoot, proof)).toBe(false)
      }
    }
  }
})

describe('refuses before it hashes', () => {
  const old = naive.root(0, 6)
  const root = naive.root(0, 13)
  const proof = naive.subproof(6, 0, 13, true)
  const bad: [string, unknown, unknown, unknown, unknown, unknown][] = [
    ['old size 0, which every tree extends', 0, 13, emptyRoot(), root, []],
    ['both sizes 0', 0, 0, emptyRoot(), emptyRoot(), []],
    ['old > new', 13, 6, root, old, proof],
    ['a negative size', -6, 13, old, root, proof],
    ['half a size', 6.5, 13, old, root, proof],
    ['NaN', Number.NaN, 13, old, root, proof],
    ['a size in text', '6', 13, old, root, proof],
    ['bigints', 6n, 13n, old, root, proof],
    ['size 2^53', 6, 2 ** 53, old, root, proof],
    ['size 2^64', 6, 2 ** 64, old, root, proof],
    ['an old root of 31 bytes', 6, 13, old.subarray(1), root, proof],
    ['a new root of 33 bytes', 6, 13, old, new Uint8Array(33), proof],
    ['no new root', 6, 13, old, undefined, proof],
    ['a proof too short', 6, 13, old, root, proof.slice(0, -1)],
    ['a proof too long', 6, 13, old, root, [...proof, zeros]],
    [
      'the old root in front of the proof, which stands for itself',
      4,
      8,
      naive.root(0, 4),
      naive.root(0, 8),
      [naive.root(0, 4), ...naive.subproof(4, 0, 8, true)],
    ],
    ['an empty proof', 6, 13, old, root, []],
    ['65 hashes', 6, 13, old, root, Array(65).fill(zeros)],
    ['a hash of 31 bytes', 6, 13, old, root, [zeros.subarray(1), ...proof.slice(1)]],
    ['a hole', 6, 13, old, root, Array(proof.length)],
    ['null for the proof', 6, 13, old, root, null],
    ['a proof between equal sizes', 6, 6, old, old, [zeros]],
    ['equal sizes, other roots', 6, 6, old, root, []],
    ['equal sizes, roots that are no hashes', 6, 6, new Uint8Array(0), new Uint8Array(0), []],
  ]
  test.each(bad)('%s', (_, ...args) => {
    const spy = vi.spyOn(nodeCrypto, 'hash')
    expect(verifyConsistency(...(args as Parameters<typeof verifyConsistency>))).toBe(false)
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
  })
})

test('every byte of roots and proof flipped, every other size: false', () => {
  const proof = naive.subproof(213, 0, 300, true)
  const oldRoot = naive.root(0, 213)
  const newRoot = naive.root(0, 300)
  const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte))
  for (let at = 0; at < 32; at++) {
    expect(verifyConsistency(213, 300, flip(oldRoot, at), newRoot, proof)).toBe(false)
    expect(verifyConsistency(213, 300, oldRoot, flip(newRoot, at), proof)).toBe(false)
    for (let i = 0; i < proof.length; i++) {
      const bent = proof.map((hash, j) => (i === j ? flip(hash, at) : hash))
      expect(verifyConsistency(213, 300, oldRoot, newRoot, bent)).toBe(false)
    }
  }
  for (let size = 1; size <= 300; size++) {
    expect(verifyConsistency(size, 300, oldRoot, newRoot, proof)).toBe(size === 213)
  }
  expect(verifyConsistency(213, 300, oldRoot, newRoot, proof.toReversed())).toBe(false)
})

describe('consistencyProof', () => {
  test('refuses sizes between which there is nothing to prove', async () => {
    for (const [old, size] of [
      [0, 0],
      [0, 5],
      [6, 5],
      [-1, 5],
      [1.5, 5],
      [1, 2 ** 53],
      [Number.NaN, 5],
    ] as const) {
      await expect(consistencyProof(old, size, readNaive)).rejects.toThrow(RangeError)
    }
  })

  test('reads nothing between equal sizes', async () => {
    const read = vi.fn(readNaive)
    expect(await consistencyProof(7, 7, read)).toEqual([])
    expect(read).not.toHaveBeenCalled()
  })

  test('a store with a hole in it is a damaged tree', async () => {
    expect(await rejectionCodeOf(consistencyProof(3, 9, () => new Uint8Array(0)))).toBe('TREE_INVALID')
  })

  test('the largest tree', async () => {
    const proof = await consistencyProof(2 ** 52 + 1, TREE_SIZE_MAX, () => zeros)
    expect(proof).toHaveLength(54)
    expect(proof.length).toBeLessThan(PROOF_HASHES_MAX)
  })
})
