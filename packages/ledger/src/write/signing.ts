// Calls the signer. A signer is untrusted code that runs under the ledger's write lock, so it is given a time limit,
// and the form of its signatures is checked.
import { type Signer, signAside } from '@sudoagent/crypto'
import { LedgerError } from '../error.js'
import { SIGNER_TIMEOUT_MS } from '../limits.js'
import { withTimeout } from './deadline.js'

const SIGNATURE_BYTES = 64
const KEY_ID = /^[0-9a-f]{16}$/

/**
 * Makes a signature of 64 bytes.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED if the signer fails, takes longer than `SIGNER_TIMEOUT_MS`, or
 * returns a malformed signature
 */
export async function signInTime(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  try {
    const signing = signer.sign(message)
    const signature = ArrayBuffer.isView(signing) ? signing : await signed(signing)
    if (!ArrayBuffer.isView(signature) || signature.byteLength !== SIGNATURE_BYTES) {
      throw new TypeError(`it did not return a signature of ${SIGNATURE_BYTES} bytes`)
    }
    if (!KEY_ID.test(signer.keyId)) throw new TypeError('its key id is not 16 hex digits')
    return signature
  } catch (cause) {
    throw writeFailed('the signer', cause)
  }
}

/**
 * Signs several messages: in parallel on other threads if the signer supports that, otherwise one by one. The
 * signatures are returned in the order of the messages.
 *
 * @throws the errors of `signInTime`
 */
export async function signAllInTime(signer: Signer, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const aside = signAside(signer, messages)
  if (aside !== null) {
    try {
      return await signed(aside)
    } catch (cause) {
      throw writeFailed('the signer', cause)
    }
  }
  const signatures: Uint8Array[] = []
  for (const message of messages) signatures.push(await signInTime(signer, message))
  return signatures
}

/** Limits the time for a signature, during which the caller has the write lock. */
function signed<T>(signing: Promise<T>): Promise<T> {
  return withTimeout(signing, SIGNER_TIMEOUT_MS, () => new Error(`no signature within ${SIGNER_TIMEOUT_MS} ms`))
}

/**
 * Makes the error for a failure before anything was written. An error thrown by untrusted code does not imply that
 * the store failed.
 */
export function writeFailed(what: string, cause: unknown): LedgerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new LedgerError('LEDGER_WRITE_FAILED', `nothing was written: ${what} failed: ${why}`, { cause })
}
