import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hmacSha256Hex } from '../../src/bytes/hmac.js'

// RFC 4231, sections 4.2, 4.3 and 4.7
const VECTORS = [
  [Buffer.alloc(20, 0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    Buffer.from('Jefe'),
    'what do ya want for nothing?',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    Buffer.alloc(131, 0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

describe('HMAC-SHA256', () => {
  it.each(VECTORS)('has the vectors of RFC 4231', (key, text, mac) => {
    expect(hmacSha256Hex(key, text)).toBe(mac)
    expect(hmacSha256Hex(key, Buffer.from(text))).toBe(mac)
  })

  it('of several parts is that of their concatenation, as node:crypto computes it', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array())
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(part), (key, parts) => {
        const whole = Buffer.concat(parts.map((one) => Buffer.from(one as string)))
        expect(hmacSha256Hex(key, ...parts)).toBe(createHmac('sha256', key).update(whole).digest('hex'))
      }),
    )
  })

  it.each(VECTORS)('has them without node:crypto, too', async (key, text, mac) => {
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
    vi.resetModules()
    const browser = await import('../../src/bytes/hmac.js')
    expect(browser.hmacSha256Hex(key, text.slice(0, 3), Buffer.from(text.slice(3)))).toBe(mac)
  })
})
