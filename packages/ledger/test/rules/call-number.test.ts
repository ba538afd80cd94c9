import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { callNumber } from '../../src/rules/call-number.js'

const numberOf = (id: string): number => Number.parseInt(createHash('sha256').update(id).digest('hex').slice(0, 12), 16)

test('is the first 48 bits of SHA-256, again and again, and after more calls than are kept', () => {
  const ids = ['', 'a', 'é', '00000000-0000-4000-8000-000000000001', 'x'.repeat(256)]
  for (let round = 0; round < 2; round += 1) for (const id of ids) expect(callNumber(id)).toBe(numberOf(id))
  for (let n = 0; n < 3_000; n += 1) expect(callNumber(`call ${n}`)).toBe(numberOf(`call ${n}`))
  for (const id of ids) expect(callNumber(id)).toBe(numberOf(id))
})

test('of text that is no Unicode is that of its replacement', () => {
  expect(callNumber('\ud800')).toBe(numberOf('\ufffd'))
})
