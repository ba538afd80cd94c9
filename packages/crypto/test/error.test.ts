import { expect, test } from 'vitest'
import { CryptoError } from '../src/error.js'

test('carries a code and a hint', () => {
  const error = new CryptoError('KEY_WEAK', 'a message', 'do this')
  expect(error).toBeInstanceOf(Error)
  expect({ ...error, message: error.message, text: String(error) }).toEqual({
    name: 'CryptoError',
    code: 'KEY_WEAK',
    hint: 'do this',
    message: 'a message',
    text: 'CryptoError: a message',
  })
})

test('a hint is optional', () => {
  expect(new CryptoError('JSON_INVALID', 'a message').hint).toBeUndefined()
})
