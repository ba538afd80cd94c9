import fc from 'fast-check'
import { expect, it } from 'vitest'
import { indentJson } from '../src/json-indent.js'

it('breaks and indents like JSON.stringify', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // Parsed back once, because -0 has another form.
      const json = JSON.stringify(value)
      expect(indentJson(json)).toBe(JSON.stringify(JSON.parse(json), null, 2))
    }),
  )
})

it('leaves brackets, commas and quotes in strings alone', () => {
  expect(indentJson('{"a\\"{":"[1,2]:\\\\"}')).toBe('{\n  "a\\"{": "[1,2]:\\\\"\n}')
})

it('shows every digit of a number', () => {
  expect(indentJson('[12345678901234567890,0.1000000000000000055511]')).toContain('12345678901234567890,')
})
