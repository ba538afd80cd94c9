import { expect, it } from 'vitest'
import { countLines, plainText } from '../../src/plain/plain-text.js'

const memory = Buffer.from(new ArrayBuffer(32))

it.each([0, 1, 2, 3])('any byte at any place of bytes that begin %i behind a word', (offset) => {
  for (let length = 1; length <= 13; length += 1)
    for (let at = 0; at < length; at += 1)
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = memory.subarray(offset, offset + length).fill('x')
        bytes[at] = byte
        const isPlain = byte === 10 || (byte >= 0x20 && byte < 0x80)
        expect(plainText(bytes), `${byte} at ${at} of ${length}`).toBe(isPlain ? bytes.toString('latin1') : null)
      }
})

it('does not look beside the bytes, and finds what stands behind a line feed', () => {
  const bytes = Buffer.from(new ArrayBuffer(16)).fill(0)
  bytes.write('ab\ncd', 4)
  expect(plainText(bytes.subarray(4, 9))).toBe('ab\ncd')
  bytes[4 + 3] = 13
  expect(plainText(bytes.subarray(4, 9))).toBeNull()
  expect([plainText(Buffer.alloc(0)), countLines(Buffer.from('a\n\nb'))]).toEqual(['', 2])
})
