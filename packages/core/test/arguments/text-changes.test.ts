import { expect, it } from 'vitest'
import { takeSnapshot, takeValue } from '../../src/arguments/snapshot.js'
import { textChangesOf } from '../../src/arguments/text-changes.js'

const OTHER = 'e\u0301'
const NFC = '\u00e9'
const changesOf = (value: unknown) => textChangesOf(takeSnapshot([value], 'normalize').values[0] as object)

it('knows the members, elements and entries that were converted, and nothing else', () => {
  const object = changesOf({ [OTHER]: 1, a: OTHER, b: NFC, c: [OTHER], 7: OTHER })
  expect([NFC, OTHER, 'a', 'b', 'c', '7'].filter((name) => object.hasKey(name))).toEqual([NFC])
  expect([NFC, OTHER, 'a', 'b', 'c', '7'].filter((name) => object.hasValue(name))).toEqual(['a', '7'])
  const array = changesOf([NFC, OTHER, { a: OTHER }, new URL(`https://x/${OTHER}`), new RegExp(OTHER)])
  expect([0, 1, 2, 3, 4].filter((index) => array.hasValue(index))).toEqual([1])
  const set = changesOf(new Set([OTHER, 'a']))
  expect([0, 1].filter((index) => set.hasValue(index))).toEqual([0])
  const entries: [unknown, unknown][] = [
    [OTHER, 'a'],
    ['a', OTHER],
    [[OTHER], 'b'],
  ]
  const map = changesOf(new Map(entries))
  expect([0, 1, 2].filter((index) => map.hasKey(index))).toEqual([0])
  expect([0, 1, 2].filter((index) => map.hasValue(index))).toEqual([1])
})

it('belongs to the copy', () => {
  const given = [OTHER]
  const { values } = takeSnapshot(given, 'normalize')
  expect(textChangesOf(values).hasValue(0)).toBe(true)
  for (const other of [given, [...values], takeSnapshot([NFC]).values, takeValue(given, 'x') as object])
    expect(textChangesOf(other).hasValue(0)).toBe(false)
})
