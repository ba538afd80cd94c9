// A signer is foreign code, asked while the ledger's write lock is held: it gets so much time, and what it gives must have the form that a
// reader will ask for.
import { type Signer, signAside } from '@sudoagent/crypto'
import { LedgerError } from '../error.js'
import { SIGNER_TIMEOUT_MS } from '../limits.js'
import { withTimeout } from './deadline.js'

const SIGNATURE_BYTES = 64
const KEY_ID = /^[0-9a-f]{16}$/

/**
 * The 64 bytes of a signature.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED when there is none within `SIGNER_TIMEOUT_MS`, or none that can be one
 */
export async function signInTime(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  try {
    const signing = signer.sign(message)
    const signature = ArrayBuffer.isView(signing) ? signing : await signed(signing)
    if (!ArrayBuffer.isView(signature) || signature.byteLength !== SIGNATURE_BYTES) {
      throw new TypeError(`it gave no signature of ${SIGNATURE_BYTES} bytes`)
    }
    if (!KEY_ID.test(signer.keyId)) throw new TypeError('its key id is not 16 hex digits')
    return signature
  } catch (cause) {
    throw writeFailed('the signer', cause)
  }
}

/**
 * The signatures over several messages, in their order: side by side on other threads where the signer can, else one after another.
 *
 * @throws LedgerError as `signInTime`
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

/** A signature that comes too late is not waited for: the write lock is held meanwhile. */
function signed<T>(signing: Promise<T>): Promise<T> {
  return withTimeout(signing, SIGNER_TIMEOUT_MS, () => new Error(`no signature within ${SIGNER_TIMEOUT_MS} ms`))
}

/** What went wrong before anything was written. Whatever foreign code throws says nothing about the store. */
export function writeFailed(what: string, cause: unknown): LedgerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new LedgerError('LEDGER_WRITE_FAILED', `nothing was written: ${what} failed: ${why}`, { cause })
}
