import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeJcs } from '../../src/json/encode.js'
import { compactJson, indentJson } from '../../src/json/layout.js'

test('indents without reading a value', () => {
  expect(indentJson('{"a":[1.50,{},[]],"b":"{,}\\"[\\\\"}')).toBe(
    '{\n  "a": [\n    1.50,\n    {},\n    []\n  ],\n  "b": "{,}\\"[\\\\"\n}',
  )
  expect(indentJson('13.000000000000000000001')).toBe('13.000000000000000000001')
})

test('takes out white space outside strings, and only there', () => {
  expect(compactJson(' { "a b" :\t[ 1 ,\r\n"\\" \\\\" , " " ] } ')).toBe('{"a b":[1,"\\" \\\\"," "]}')
})

test('what one does the other takes back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const json = encodeJcs(value)
      expect(compactJson(indentJson(json))).toBe(json)
      expect(indentJson(json)).toBe(JSON.stringify(JSON.parse(json), null, 2))
    }),
  )
})

test('megabytes in one string, and brackets that were never opened, are no trouble', () => {
  const long = JSON.stringify('\\" {'.repeat(1_000_000))
  expect(compactJson(indentJson(`[${long}]`))).toBe(`[${long}]`)
  expect(indentJson(']]]}')).toBe('\n]\n]\n]\n}')
})
