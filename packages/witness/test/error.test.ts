import { expect, test } from 'vitest'
import { WitnessError } from '../src/error.js'

test('carries a code, a hint, a cause and a size', () => {
  const cause = new Error('x')
  const error = new WitnessError('WITNESS_AHEAD', 'a message', { hint: 'do this', cause, witnessSize: 7 })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'WitnessError', code: 'WITNESS_AHEAD', hint: 'do this', cause, witnessSize: 7 })
  const bare = new WitnessError('STORE_FAILED', 'a message')
  expect([bare.hint, bare.cause, bare.witnessSize, 'cause' in bare]).toEqual([undefined, undefined, undefined, false])
})

test('is one line that is safe to print', () => {
  const { message } = new WitnessError('STORE_FAILED', `a\u001b[31m\nb\u202e\ud800${'c'.repeat(5000)}`)
  expect(message).toMatch(/^a\\u\{1b\}\[31m\\u\{a\}b\\u\{202e\}\\u\{d800\}c+$/)
  expect(message.length).toBeLessThan(2100)
})
