import { expect, test } from 'vitest'
import { TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { completeSubtrees, consistencyPath, inclusionPath, onesOf } from '../../src/tree/path.js'

test('the path of leaf 2 of 7, which RFC 6962 draws', () => {
  expect(inclusionPath(2, 7)).toEqual([
    { side: 'right', level: 0, index: 3 },
    { side: 'left', level: 1, index: 0 },
    { side: 'right', level: 2, index: 1 },
  ])
})

test('a last leaf without neighbour is carried up', () => {
  expect(inclusionPath(6, 7)).toEqual([
    { side: 'left', level: 1, index: 2 },
    { side: 'left', level: 2, index: 0 },
  ])
  expect(inclusionPath(0, 1)).toEqual([])
})

test('the consistency paths from 3, 4 and 6 to 7, which RFC 6962 draws', () => {
  expect(consistencyPath(3, 7)).toEqual({
    start: { level: 0, index: 2 },
    startIsOldRoot: false,
    siblings: [
      { side: 'right', level: 0, index: 3 },
      { side: 'left', level: 1, index: 0 },
      { side: 'right', level: 2, index: 1 },
    ],
  })
  expect(consistencyPath(4, 7)).toEqual({
    start: { level: 2, index: 0 },
    startIsOldRoot: true,
    siblings: [{ side: 'right', level: 2, index: 1 }],
  })
  expect(consistencyPath(6, 7)).toEqual({
    start: { level: 1, index: 2 },
    startIsOldRoot: false,
    siblings: [
      { side: 'right', level: 1, index: 3 },
      { side: 'left', level: 2, index: 0 },
    ],
  })
})

test('complete subtrees cover a range, each aligned, shrinking', () => {
  expect(completeSubtrees(0, 11)).toEqual([
    { level: 3, index: 0 },
    { level: 1, index: 4 },
    { level: 0, index: 10 },
  ])
  expect(completeSubtrees(8, 8)).toEqual([])
  for (let size = 1; size <= 300; size++) {
    const places = completeSubtrees(0, size)
    expect(places).toHaveLength(onesOf(size))
    let end = 0
    for (const { level, index } of places) {
      expect(index * 2 ** level).toBe(end)
      end += 2 ** level
    }
    expect(end).toBe(size)
  }
})

test('the largest trees, beyond 32 bits', () => {
  expect(inclusionPath(0, TREE_SIZE_MAX)).toHaveLength(53)
  // The last leaf has no right neighbour, and all its ancestors are right children: in binary, 2^53 − 2 is all ones
  // except the last bit.
  expect(inclusionPath(TREE_SIZE_MAX - 1, TREE_SIZE_MAX)).toHaveLength(52)
  expect(inclusionPath(2 ** 52, 2 ** 52 + 1)).toEqual([{ side: 'left', level: 52, index: 0 }])
  expect(consistencyPath(TREE_SIZE_MAX - 2, TREE_SIZE_MAX - 1).siblings.length).toBeLessThan(54)
  expect(consistencyPath(2 ** 52, TREE_SIZE_MAX)).toMatchObject({
    startIsOldRoot: true,
    siblings: [{ side: 'right', level: 52 }],
  })
  expect(onesOf(TREE_SIZE_MAX)).toBe(53)
  const places = completeSubtrees(0, TREE_SIZE_MAX)
  expect(places.map(({ level }) => level)).toEqual(Array.from({ length: 53 }, (_, i) => 52 - i))
  expect(places.at(-1)).toEqual({ level: 0, index: TREE_SIZE_MAX - 1 })
})
