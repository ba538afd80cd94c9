import { sha256Hex } from '@sudoagent/crypto'
import { hexToBytes } from '@sudoagent/crypto/bytes'
import { leafHash } from '@sudoagent/crypto/tree'
import { expect, it } from 'vitest'
import { leavesOf, withHash } from '../../src/tree/tile-hashes.js'
import { refusalOf } from '../fixtures/refusal.js'

const [a, b] = [sha256Hex('a'), sha256Hex('b')]

it('makes leaves of entry hashes, all of them or none', async () => {
  expect(leavesOf([a, b], 2)).toEqual(Buffer.concat([leafHash(hexToBytes(a)), leafHash(hexToBytes(b))]))
  for (const hashes of [[a], [a, b, a], [a, null], [a, b.toUpperCase()], [a, Buffer.from(b)]])
    expect(await refusalOf(() => leavesOf(hashes, 2))).toBe('LEDGER_DAMAGED')
})

it('puts a hash at its place in a tile, over what no head covers, and behind no gap', async () => {
  const [one, two, three] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array]
  expect(withHash(null, 0, one)).toEqual(Buffer.from(one))
  expect(withHash(one, 1, two)).toEqual(Buffer.concat([one, two]))
  expect(withHash(Buffer.concat([one, two]), 1, three)).toEqual(Buffer.concat([one, three]))
  for (const tile of [null, 'text', new Uint8Array(31)])
    expect(await refusalOf(() => withHash(tile, 1, two))).toBe('LEDGER_DAMAGED')
})
