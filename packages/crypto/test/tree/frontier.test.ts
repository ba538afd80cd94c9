import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex } from '../../src/bytes/hash.js'
import {
  appendLeaf,
  appendLeaves,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  type GrownTree,
  parseFrontier,
  readFrontier,
} from '../../src/tree/frontier.js'
import { TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { codeOf, rejectionCodeOf } from '../fixtures/errors.js'
import { leavesOf, NaiveTree } from '../fixtures/naive-tree.js'

const leaves = leavesOf(300)
const naive = new NaiveTree(leaves)

/** Every frontier up to 300 leaves, and every completed node. */
const nodes = new Map<string, Uint8Array>()
const frontiers: Frontier[] = [EMPTY_FRONTIER]
for (const leaf of leaves) {
  const { frontier, completed } = appendLeaf(frontiers.at(-1) ?? EMPTY_FRONTIER, leaf)
  frontiers.push(frontier)
  for (const { level, index, hash } of completed) {
    expect(nodes.has(`${level}/${index}`)).toBe(false)
    nodes.set(`${level}/${index}`, hash)
  }
}

test.each(frontiers)('size $size has the root of the naive tree', (frontier) => {
  expect(frontierRoot(frontier)).toEqual(naive.root(0, frontier.size))
  expect(frontier.hashes.length).toBeLessThanOrEqual(9)
})

test('appending completes each node once, in time, with the hash of the naive tree', () => {
  for (let level = 0; 2 ** level <= 300; level++) {
    for (let index = 0; (index + 1) * 2 ** level <= 300; index++) {
      const hash = nodes.get(`${level}/${index}`)
      expect(hash).toEqual(naive.root(index * 2 ** level, (index + 1) * 2 ** level))
      nodes.delete(`${level}/${index}`)
    }
  }
  expect(nodes.size).toBe(0)
})

test('appending changes nothing in place', () => {
  const before = frontiers[7] ?? EMPTY_FRONTIER
  const root = bytesToHex(frontierRoot(before))
  appendLeaf(before, leaves[0] ?? new Uint8Array(32))
  expect(bytesToHex(frontierRoot(before))).toBe(root)
  expect(EMPTY_FRONTIER).toEqual({ size: 0, hashes: [] })
  expect(Object.isFrozen(EMPTY_FRONTIER) && Object.isFrozen(EMPTY_FRONTIER.hashes)).toBe(true)
})

test('readFrontier finds what a stored tree had at any size', async () => {
  const read = (level: number, index: number): Uint8Array => naive.root(index * 2 ** level, (index + 1) * 2 ** level)
  for (const frontier of frontiers) expect(await readFrontier(frontier.size, read)).toEqual(frontier)
  await expect(readFrontier(-1, read)).rejects.toThrow(RangeError)
  await expect(readFrontier(2 ** 53, read)).rejects.toThrow(RangeError)
  expect(await rejectionCodeOf(readFrontier(3, () => new Uint8Array(31)))).toBe('TREE_INVALID')
})

test('the largest tree', () => {
  const hashes = Array.from({ length: 53 }, (_, i) => leaves[i] ?? new Uint8Array(32))
  const full = { size: TREE_SIZE_MAX, hashes }
  expect(parseFrontier(encodeFrontier(full))).toEqual(full)
  expect(() => appendLeaf(full, new Uint8Array(32))).toThrow(RangeError)
  const { frontier, completed } = appendLeaf(
    { size: TREE_SIZE_MAX - 1, hashes: hashes.slice(0, 52) },
    new Uint8Array(32),
  )
  expect(frontier.size).toBe(TREE_SIZE_MAX)
  expect(completed).toHaveLength(1)
  // In a tree of 2^52 − 1 leaves, the next leaf completes 52 nodes above it.
  const wide = appendLeaf({ size: 2 ** 52 - 1, hashes: hashes.slice(0, 52) }, new Uint8Array(32))
  expect(wide.completed.map(({ level }) => level)).toEqual(Array.from({ length: 53 }, (_, i) => i))
  expect(wide.frontier.hashes).toHaveLength(1)
})

describe('encodeFrontier and parseFrontier', () => {
  test('go there and back', () => {
    for (const frontier of frontiers) {
      const bytes = encodeFrontier(frontier)
      expect(parseFrontier(bytes)).toEqual(frontier)
      expect(parseFrontier(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3))).toEqual(frontier)
    }
    expect(bytesToHex(encodeFrontier(EMPTY_FRONTIER))).toBe('0000000000000000')
  })

  test('the parsed hashes are copies', () => {
    const bytes = encodeFrontier(frontiers[1] ?? EMPTY_FRONTIER)
    const frontier = parseFrontier(bytes)
    bytes.fill(0)
    expect(frontier).toEqual(frontiers[1])
  })

  test('what is not whole is refused', () => {
    const bytes = encodeFrontier(frontiers[11] ?? EMPTY_FRONTIER)
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => parseFrontier(bytes.subarray(0, length)))).toBe('TREE_INVALID')
    }
    expect(codeOf(() => parseFrontier(Buffer.concat([bytes, Buffer.alloc(32)])))).toBe('TREE_INVALID')
    expect(codeOf(() => parseFrontier(new Uint8Array(8).fill(255)))).toBe('TREE_INVALID')
    expect(codeOf(() => parseFrontier('text' as unknown as Uint8Array))).toBe('TREE_INVALID')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (random) => {
        try {
          expect(encodeFrontier(parseFrontier(random))).toEqual(random)
        } catch {
          expect(codeOf(() => parseFrontier(random))).toBe('TREE_INVALID')
        }
      }),
    )
  })
})

test('a frontier that contradicts itself is refused', () => {
  const hash = new Uint8Array(32)
  for (const frontier of [
    { size: 2, hashes: [hash, hash] },
    { size: 3, hashes: [hash] },
    { size: 0, hashes: [hash] },
    { size: 1, hashes: [new Uint8Array(31)] },
    { size: -1, hashes: [] },
    { size: 2 ** 53, hashes: [hash] },
    { size: 1.5, hashes: [hash] },
  ]) {
    expect(() => frontierRoot(frontier)).toThrow(TypeError)
    expect(() => appendLeaf(frontier, hash)).toThrow(TypeError)
    expect(() => encodeFrontier(frontier)).toThrow(TypeError)
  }
  expect(() => appendLeaf(EMPTY_FRONTIER, new Uint8Array(31))).toThrow(TypeError)
})

test('appendLeaves is appendLeaf once for each leaf', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const start = appendLeaves(EMPTY_FRONTIER, leaves.slice(0, from)).frontier
      let one: GrownTree = { frontier: start, completed: [] }
      for (const leaf of leaves.slice(from, to)) {
        const { frontier, completed } = appendLeaf(one.frontier, leaf)
        one = { frontier, completed: [...one.completed, ...completed] }
      }
      expect(appendLeaves(start, leaves.slice(from, to))).toEqual(one)
    }),
  )
  expect(() => appendLeaves(EMPTY_FRONTIER, [Uint8Array.of(1)])).toThrow(TypeError)
})
