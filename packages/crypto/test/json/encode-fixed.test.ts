import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCanonical, encodeFixed, encodeMembers } from '../../src/json/encode.js'
import { JSON_DEPTH_MAX } from '../../src/json/value.js'
import { anyJson } from '../fixtures/arbitraries.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'

describe('encodeFixed', () => {
  const deepFreeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
    return value
  }

  test('is encodeCanonical; a member that has the value has the text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson), fc.boolean(), (json, isFrozen) => {
        const nfc = new Set(Object.keys(json).map((key) => key.normalize('NFC')))
        fc.pre(nfc.size === Object.keys(json).length)
        const value = isFrozen ? deepFreeze(json) : json
        const text = encodeFixed(value, 'value')
        expect(text).toBe(encodeCanonical(value))
        expect(encodeMembers({ value })).toEqual([['value', `"value":${text}`]])
      }),
    )
  })

  test.each([
    ['the whole', (list: object) => ({ list: Object.freeze(list) })],
    ['what is in it', (list: object) => Object.freeze({ list })],
    ['what is deep in it', (list: object) => Object.freeze({ a: Object.freeze([Object.freeze({}), list]) })],
  ])('does not keep the text where %s can still change', (_, around) => {
    for (const list of [[], [1]]) {
      const value = around(list) as { list?: unknown }
      const before = encodeFixed(value, 'value')
      if (Object.isFrozen(list)) value.list = 'another'
      else list.push(2)
      expect(encodeCanonical(value)).not.toBe(before)
      expect(encodeMembers({ value })[0]?.[1]).toBe(`"value":${encodeCanonical(value)}`)
    }
  })

  test('reads what is frozen once, however often it is a member', () => {
    let reads = 0
    const getOwnPropertyDescriptor = (target: object, key: PropertyKey): PropertyDescriptor | undefined => {
      reads += 1
      return Reflect.getOwnPropertyDescriptor(target, key)
    }
    const value = new Proxy(Object.freeze({ a: 1 }), { getOwnPropertyDescriptor })
    encodeFixed(value, 'value')
    const readsOnce = reads
    encodeMembers({ value })
    encodeMembers({ other: value })
    expect([readsOnce > 0, reads]).toEqual([true, readsOnce])
    // If the value is nested, the depth of the outer value counts too, so the encoder reads the value again.
    encodeMembers({ value: { value } })
    expect(reads).toBeGreaterThan(readsOnce)
  })

  test('counts its depth as a member, and names the member', () => {
    const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) })
    expect(codeOf(() => encodeFixed(nested(JSON_DEPTH_MAX), 'value'))).toBe('VALUE_REFUSED')
    expect(codeOf(() => encodeMembers({ value: nested(JSON_DEPTH_MAX) }))).toBe('VALUE_REFUSED')
    encodeMembers({ value: nested(JSON_DEPTH_MAX - 1) })
    encodeFixed(nested(JSON_DEPTH_MAX - 1), 'value')
    expect(cryptoErrorOf(() => encodeFixed({ a: undefined }, 'parameters')).message).toContain('parameters.a')
  })
})
