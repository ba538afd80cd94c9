import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeyTable } from '../../src/rules/key-table.js'

it('is a map of keys to the order in which they came', () => {
  const key = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2 ** 32 - 1))
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), (keys) => {
      const table = new KeyTable(3)
      const known = new Map<string, number>()
      for (const words of keys) {
        const array = Uint32Array.from([9, ...words])
        const row = known.get(String(words))
        expect(table.find(array, 1)).toBe(row ?? -1)
        if (row !== undefined) continue
        known.set(String(words), table.size)
        expect(table.add(array, 1)).toBe(known.size - 1)
      }
      expect(table.size).toBe(known.size)
      for (const [text, row] of known) expect(String([...table.key(row)])).toBe(text)
    }),
  )
})

it('grows beyond a block, and stays quick when keys were chosen to be alike', () => {
  const table = new KeyTable(4)
  const alike = (n: number) => Uint32Array.of(1, 1, 1, n * 65_536)
  for (let n = 0; n < 20_000; n += 1) table.add(alike(n), 0)
  for (const n of [0, 4_095, 4_096, 19_999]) expect(table.find(alike(n), 0)).toBe(n)
  expect(table.find(alike(20_000), 0)).toBe(-1)
})
