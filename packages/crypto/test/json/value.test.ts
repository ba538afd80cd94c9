import { expect, test } from 'vitest'
import { encodeJcs } from '../../src/json/encode.js'
import { parseJson, scanJson } from '../../src/json/scan.js'
import { JSON_DEPTH_MAX, type JsonValue } from '../../src/json/value.js'
import { codeOf } from '../fixtures/errors.js'

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

function nestedValue(levels: number): JsonValue {
  let value: JsonValue = []
  for (let i = 1; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

test('the limit is the same for writing and for reading', () => {
  expect(scanJson(nested(JSON_DEPTH_MAX)).canonical).toBe(true)
  expect(scanJson(encodeJcs(nestedValue(JSON_DEPTH_MAX))).canonical).toBe(true)
  expect(codeOf(() => scanJson(nested(JSON_DEPTH_MAX + 1)))).toBe('JSON_INVALID')
  expect(codeOf(() => parseJson(nested(JSON_DEPTH_MAX + 1)))).toBe('JSON_INVALID')
  expect(codeOf(() => encodeJcs(nestedValue(JSON_DEPTH_MAX + 1)))).toBe('VALUE_REFUSED')
})
