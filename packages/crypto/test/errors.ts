import { expect } from 'vitest'
import { CryptoError } from '../src/error.js'

/** The CryptoError that a call throws. Fails when it throws anything else, or nothing. */
export function cryptoErrorOf(call: () => unknown): CryptoError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(CryptoError)
    if (error instanceof CryptoError) return error
  }
  throw new Error('expected a CryptoError, nothing was thrown')
}

/** The code of the CryptoError that a call throws. */
export function codeOf(call: () => unknown): string {
  const { code, message, hint } = cryptoErrorOf(call)
  // Every message keeps the house style, whoever asks for its code.
  expect(message).toMatch(/^[^\n]+[^.\n]$/)
  if (hint !== undefined) expect(hint).toMatch(/^[^\n]+[^.\n]$/)
  return code
}

/** The code of the CryptoError that a promise rejects with. Fails when it rejects with anything else, or not at all. */
export async function rejectionCodeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => ({ error }),
  )
  return codeOf(() => {
    if (outcome !== null) throw outcome.error
  })
}
