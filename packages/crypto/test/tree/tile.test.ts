import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { consistencyProof, verifyConsistency } from '../../src/tree/consistency.js'
import { frontierRoot, readFrontier } from '../../src/tree/frontier.js'
import { inclusionProof, verifyInclusion } from '../../src/tree/inclusion.js'
import { TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { createTileHashReader, TILE_HEIGHT, TILE_WIDTH, tilePath, tileSpan, tileWidth } from '../../src/tree/tile.js'
import { rejectionCodeOf } from '../fixtures/errors.js'
import { StoredRows } from '../fixtures/naive-tree.js'

test.each<[number, number, number | undefined, string]>([
  [0, 0, undefined, 'tile/0/000'],
  [0, 7, 1, 'tile/0/007.p/1'],
  [1, 999, undefined, 'tile/1/999'],
  [0, 1000, 255, 'tile/0/x001/000.p/255'],
  [0, 1234067, undefined, 'tile/0/x001/x234/067'],
  [63, 10 ** 9, undefined, 'tile/63/x001/x000/x000/000'],
  [0, TREE_SIZE_MAX, 17, 'tile/0/x009/x007/x199/x254/x740/991.p/17'],
])('tilePath(%d, %d, %s) is %s', (level, index, width, path) => {
  expect(tilePath(level, index, width)).toBe(path)
})

test('tilePath refuses what no tile has', () => {
  const bad = [
    [-1, 0, 1],
    [64, 0, 1],
    [0.5, 0, 1],
    [0, -1, 1],
    [0, 1.5, 1],
    [0, 2 ** 53, 1],
    [0, 0, 0],
    [0, 0, 257],
    [0, 0, 1.5],
    [0, Number.NaN, 1],
  ] as const
  for (const [level, index, width] of bad) expect(() => tilePath(level, index, width)).toThrow(RangeError)
})

/** Returns the number of full tiles at a level, and the width of the partial tile. */
function widths(level: number, size: number): { full: number; partial: number } {
  let full = 0
  while (tileWidth(level, full, size) === TILE_WIDTH) full++
  expect(tileWidth(level, full + 1, size)).toBe(0)
  return { full, partial: tileWidth(level, full, size) }
}

test('the trees of 70,000 and of 256 leaves, which tlog-tiles counts', () => {
  expect(widths(0, 70_000)).toEqual({ full: 273, partial: 112 })
  expect(widths(1, 70_000)).toEqual({ full: 1, partial: 17 })
  expect(widths(2, 70_000)).toEqual({ full: 0, partial: 1 })
  expect(widths(3, 70_000)).toEqual({ full: 0, partial: 0 })
  expect(widths(0, 256)).toEqual({ full: 1, partial: 0 })
  expect(widths(1, 256)).toEqual({ full: 0, partial: 1 })
  expect(widths(0, 0)).toEqual({ full: 0, partial: 0 })
  expect(tileWidth(6, 31, TREE_SIZE_MAX)).toBe(0)
  expect(tileWidth(6, 0, TREE_SIZE_MAX)).toBe(31)
  expect(tileWidth(63, 0, TREE_SIZE_MAX)).toBe(0)
  expect(() => tileWidth(0, 0, -1)).toThrow(RangeError)
  expect(() => tileWidth(64, 0, 1)).toThrow(RangeError)
})

test('tileSpan says which hashes make up a node', () => {
  expect(tileSpan(0, 1000)).toEqual({ level: 0, index: 3, start: 232, width: 1 })
  expect(tileSpan(7, 3)).toEqual({ level: 0, index: 1, start: 128, width: 128 })
  expect(tileSpan(8, 300)).toEqual({ level: 1, index: 1, start: 44, width: 1 })
  expect(tileSpan(17, 5)).toEqual({ level: 2, index: 0, start: 10, width: 2 })
  expect(tileSpan(0, TREE_SIZE_MAX)).toEqual({ level: 0, index: 2 ** 45 - 1, start: 255, width: 1 })
  for (const [level, index] of [
    [-1, 0],
    [0, -1],
    [0.5, 0],
    [0, 2 ** 53],
  ] as const) {
    expect(() => tileSpan(level, index)).toThrow(RangeError)
  }
})

describe('createTileHashReader', () => {
  let rows: StoredRows

  beforeAll(() => {
    rows = new StoredRows(18)
  })

  /** Creates a store that contains only the tiles of a tree with `size` leaves, and that records each read. */
  const store = (size: number) => {
    const read: string[] = []
    const reader = createTileHashReader(size, async (level, index, width) => {
      read.push(tilePath(level, index, width))
      return rows.read(level * TILE_HEIGHT, index * TILE_WIDTH, width)
    })
    return { read, reader }
  }

  test('proofs out of tiles hold, and read each tile once', async () => {
    const sizes = fc.integer({ min: 1, max: 2 ** 18 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), sizes, async (size, n, other) => {
        const root = rows.root(0, size)
        const { read, reader } = store(size)
        const index = n % size
        const proof = await inclusionProof(index, size, reader)
        expect(verifyInclusion(rows.read(0, index), index, size, proof, root)).toBe(true)
        expect(new Set(read).size).toBe(read.length)
        expect(read.length).toBeLessThanOrEqual(6)

        const oldSize = 1 + (other % size)
        const consistency = await consistencyProof(oldSize, size, store(size).reader)
        expect(verifyConsistency(oldSize, size, rows.root(0, oldSize), root, consistency)).toBe(true)
        expect(frontierRoot(await readFrontier(oldSize, store(oldSize).reader))).toEqual(rows.root(0, oldSize))
      }),
      { numRuns: 200 },
    )
  })

  test('a full tile may stand in for a partial one', async () => {
    const size = 70_000
    const proof = await inclusionProof(
      69_999,
      size,
      createTileHashReader(size, (level, index, width) =>
        // The tree has since grown to 2^17 leaves. Tile 273 of level 0 is now full, and so are the first two tiles of
        // level 1.
        rows.read(level * TILE_HEIGHT, index * TILE_WIDTH, level < 2 ? TILE_WIDTH : width),
      ),
    )
    expect(verifyInclusion(rows.read(0, 69_999), 69_999, size, proof, rows.root(0, size))).toBe(true)
  })

  test('gives hashes of their own', async () => {
    const tile = Buffer.from(rows.read(0, 0, TILE_WIDTH))
    const hash = await createTileHashReader(256, () => tile)(0, 0)
    tile.fill(0)
    expect(hash).toEqual(rows.read(0, 0))
  })

  test('a tile that is cut short, padded, or no bytes is a damaged tree', async () => {
    for (const value of [new Uint8Array(0), new Uint8Array(31 * 32), new Uint8Array(32 * 32 + 1), undefined, 'text']) {
      const reader = createTileHashReader(32, () => value as unknown as Uint8Array)
      expect(await rejectionCodeOf(Promise.resolve(reader(0, 3)))).toBe('TREE_INVALID')
    }
    const wide = createTileHashReader(32, () => new Uint8Array(257 * 32))
    expect(await rejectionCodeOf(Promise.resolve(wide(0, 3)))).toBe('TREE_INVALID')
  })

  test('what the tree does not have in full is not read', async () => {
    const { read, reader } = store(70_000)
    for (const [level, index] of [
      [0, 70_000],
      [4, 4375],
      [8, 273],
      [16, 1],
      [60, 0],
    ] as const) {
      await expect(reader(level, index)).rejects.toThrow(RangeError)
    }
    expect(read).toEqual([])
  })

  test('what the store throws comes through', async () => {
    const reader = createTileHashReader(9, () => {
      throw new Error('disk')
    })
    await expect(inclusionProof(3, 9, reader)).rejects.toThrow('disk')
  })
})
