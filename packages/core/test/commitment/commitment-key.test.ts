import { describe, expect, it } from 'vitest'
import { copyCommitmentKey } from '../../src/commitment/commitment-key.js'

const BYTES = Uint8Array.from({ length: 32 }, (_, n) => n)

describe('a commitment key', () => {
  it('is copied', () => {
    const given = Buffer.from(BYTES)
    const copy = copyCommitmentKey(given)
    given.fill(0)
    expect(copy).toEqual(BYTES)
  })

  it.each([undefined, null, 'x'.repeat(32), [...BYTES], BYTES.subarray(1), new Uint16Array(32), new Proxy(BYTES, {})])(
    'is at least 32 bytes: %#',
    (value) => {
      expect(() => copyCommitmentKey(value)).toThrow(TypeError)
    },
  )
})
