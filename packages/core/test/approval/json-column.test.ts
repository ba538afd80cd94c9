import { describe, expect, test } from 'vitest'
import { decodeColumn, decodeParameters, encodeColumn, encodeParameters } from '../../src/approval/json-column.js'

describe('parameters', () => {
  test('are canonical: the same parameters are the same text', () => {
    expect(encodeParameters([1], { b: 2, a: 1 })).toBe(encodeParameters([1], { a: 1, b: 2 }))
    expect(decodeParameters(encodeParameters([1, { x: null }], { a: '\u001b' }))).toEqual({
      args: [1, { x: null }],
      kwargs: { a: '\u001b' },
    })
  })

  test('keep names that mean something to JavaScript', () => {
    const kwargs = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}')
    const back = decodeParameters(encodeParameters([], kwargs)).kwargs
    expect(Object.keys(back).sort()).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  test('anything else is refused', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"args":[]}',
      '{"args":{},"kwargs":{}}',
      '{"args":[],"kwargs":[]}',
      '{"args":[],"args":[],"kwargs":{}}',
    ]) {
      expect(() => decodeParameters(text)).toThrow()
    }
    expect(() => encodeParameters({}, {})).toThrow(TypeError)
    expect(() => encodeParameters([], [])).toThrow(TypeError)
  })
})

describe('a column', () => {
  test('holds one text for each value', () => {
    expect(encodeColumn('metadata', { b: [1], a: 'é' }, 64)).toBe('{"a":"é","b":[1]}')
    const value = decodeColumn('metadata', '{"a":"é","b":[1]}', 64) as { readonly b: unknown }
    expect(value).toEqual({ b: [1], a: 'é' })
    expect([Object.isFrozen(value), Object.isFrozen(value.b)]).toEqual([true, true])
  })

  test('is limited in bytes, and read only in its canonical form', () => {
    expect(() => encodeColumn('metadata', { a: 'éé' }, 11)).toThrow(TypeError)
    expect(() => encodeColumn('metadata', { a: 1n }, 64)).toThrow(TypeError)
    for (const text of ['{ "a":1}', '{"b":1,"a":1}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e999}', '{', '"\\u0061"'])
      expect(() => decodeColumn('metadata', text, 64), text).toThrow()
    expect(() => decodeColumn('metadata', '{"a":"éé"}', 11)).toThrow(TypeError)
    expect(() => decodeColumn('metadata', '['.repeat(100_000), 64)).toThrow(TypeError)
  })
})
