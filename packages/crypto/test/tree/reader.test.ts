import { expect, test } from 'vitest'
import { nodeHash } from '../../src/tree/merkle.js'
import { foldRight, readNode, readSubtrees } from '../../src/tree/reader.js'
import { rejectionCodeOf } from '../fixtures/errors.js'
import { leavesOf } from '../fixtures/naive-tree.js'

const [a, b, c] = leavesOf(3) as [Uint8Array, Uint8Array, Uint8Array]

test('folds to the right', () => {
  expect(foldRight([a])).toBe(a)
  expect(foldRight([a, b, c])).toEqual(nodeHash(a, nodeHash(b, c)))
})

test('an incomplete node is made from what is complete below it', async () => {
  const asked: string[] = []
  const read = (level: number, index: number): Uint8Array => {
    asked.push(`${level}/${index}`)
    return level === 1 ? a : b
  }
  expect(await readNode({ level: 2, index: 1 }, 7, read)).toEqual(nodeHash(a, b))
  expect(asked).toEqual(['1/2', '0/6'])
  expect(await readNode({ level: 1, index: 0 }, 7, async () => c)).toBe(c)
})

test('what is no hash is a damaged tree', async () => {
  for (const value of [undefined, null, new Uint8Array(31), 'a'.repeat(32)]) {
    const read = (): Uint8Array => value as unknown as Uint8Array
    expect(await rejectionCodeOf(readSubtrees([{ level: 0, index: 0 }], read))).toBe('TREE_INVALID')
  }
})

test('what the reader throws comes through', async () => {
  const broken = (): never => {
    throw new Error('disk')
  }
  await expect(readNode({ level: 0, index: 0 }, 1, broken)).rejects.toThrow('disk')
})
