// Tests commitments against HMACs that the test computes with node:crypto from texts that it writes itself.
import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  commitCall,
  commitmentKeyId,
  commitmentMisfit,
  commitResult,
  resultMisfit,
} from '../../src/entry/commitment.js'
import { encodeJcs } from '../../src/json/encode.js'

const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')
const hmac = (text: string | Uint8Array): string => createHmac('sha256', KEY).update(text).digest('hex')
const keyId = createHash('sha256').update(KEY).digest('hex').slice(0, 16)

describe('the commitment of a call', () => {
  it('has a fixed value', () => {
    expect(commitCall(KEY, 'r-1', { kwargs: { b: 1.5, a: 'x' }, args: [] })).toEqual({
      key_id: '630dcd2966c43366',
      hmac: hmac('{"parameters":{"args":[],"kwargs":{"a":"x","b":1.5}},"request_id":"r-1"}'),
    })
    expect(commitmentKeyId(KEY)).toBe(keyId)
    expect(keyId).toBe('630dcd2966c43366')
  })

  it('tells apart two Unicode forms of a text, and of a name', () => {
    const [nfc, nfd] = ['\u00e9', 'e\u0301']
    const of = (kwargs: object) => commitCall(KEY, 'r', { args: [], kwargs }).hmac
    expect(of({ a: nfd })).toBe(hmac(`{"parameters":{"args":[],"kwargs":{"a":"${nfd}"}},"request_id":"r"}`))
    expect(new Set([of({ a: nfc }), of({ a: nfd }), of({ [nfc]: 'a' }), of({ [nfd]: 'a' })]).size).toBe(4)
  })

  it('is equal exactly for equal parameters and request ids', () => {
    const value = fc.oneof(fc.constantFrom<unknown>('', 0, null, [], {}, '0', false), fc.jsonValue({ maxDepth: 2 }))
    const call = fc.record({ id: fc.constantFrom('a', 'b'), args: fc.array(value, { maxLength: 2 }) })
    fc.assert(
      fc.property(call, call, (one, other) => {
        const [a, b] = [one, other].map(({ id, args }) => commitCall(KEY, id, { args, kwargs: {} }).hmac)
        expect(a === b).toBe(encodeJcs(one) === encodeJcs(other))
      }),
    )
  })

  it('does not exist for a value that JSON does not have', () => {
    expect(() => commitCall(KEY, 'r', { args: [1n], kwargs: {} })).toThrow(/cannot represent/)
  })
})

describe('the commitment of a result', () => {
  it('is over the canonical form, if there is one', () => {
    expect(commitResult(KEY, 'r"1', '{"b": 1.0, "a": "\u00e9"}')).toEqual({
      profile: 'jcs',
      bytes: Buffer.byteLength('{"a":"\u00e9","b":1}'),
      key_id: keyId,
      hmac: hmac('{"request_id":"r\\"1","result":{"a":"\u00e9","b":1}}'),
    })
  })

  it.each(['{"n":9007199254740993}', '{"a":1,"a":1}', '{"a":"\\ud800"}', 'not JSON é'])(
    'is over the bytes of %s, which has none',
    (text) => {
      expect(commitResult(KEY, 'r-1', text)).toEqual({
        profile: 'bytes',
        bytes: Buffer.byteLength(text),
        key_id: keyId,
        hmac: hmac(`r-1\n${text}`),
      })
      expect(() => commitResult(KEY, 'r-1', text, 'jcs')).toThrow(/canonical form/)
    },
  )

  it('of a given profile', () => {
    expect(commitResult(KEY, 'r', '{}', 'bytes').hmac).toBe(hmac('r\n{}'))
    expect(commitResult(KEY, 'r', '{}', 'jcs').hmac).toBe(hmac('{"request_id":"r","result":{}}'))
  })

  it('does not exist for text that UTF-8 cannot encode', () => {
    expect(() => commitResult(KEY, 'r', '"\ud800"')).toThrow(/lone surrogate/)
  })
})

describe('the form', () => {
  const commitment = commitCall(KEY, 'r', {})
  const result = commitResult(KEY, 'r', '{}')

  it('is that of computed ones', () => {
    expect([commitment, undefined].map(commitmentMisfit)).toEqual([null, null])
    expect([result, commitResult(KEY, 'r', 'x'), undefined].map(resultMisfit)).toEqual([null, null, null])
  })

  it.each<[unknown, string]>([
    [null, 'commitment'],
    [{ ...commitment, more: 1 }, 'commitment.more'],
    [{ key_id: commitment.key_id }, 'commitment.hmac'],
    [{ ...commitment, hmac: commitment.hmac.toUpperCase() }, 'commitment.hmac'],
    [{ ...commitment, key_id: `${commitment.key_id}0` }, 'commitment.key_id'],
  ])('of a commitment is closed: %j', (value, path) => {
    expect(commitmentMisfit(value)).toBe(path)
  })

  it.each<[unknown, string]>([
    [commitment, 'outcome.result.profile'],
    [[], 'outcome.result'],
    [{ ...result, more: 1 }, 'outcome.result.more'],
    [{ ...result, profile: 'text' }, 'outcome.result.profile'],
    [{ ...result, bytes: -1 }, 'outcome.result.bytes'],
    [{ ...result, bytes: -0 }, 'outcome.result.bytes'],
    [{ ...result, bytes: 2 ** 53 }, 'outcome.result.bytes'],
    [{ ...result, hmac: '' }, 'outcome.result.hmac'],
  ])('of a result is closed: %j', (value, path) => {
    expect(resultMisfit(value)).toBe(path)
  })
})
