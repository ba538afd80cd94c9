/**
 * Ed25519 (RFC 8032, PureEdDSA) with the same verdict from every provider.
 *
 * Two providers implement the arithmetic: `node:crypto`, and the JavaScript library noble for browsers. The
 * providers differ in edge cases, so the checks in `curve-check.ts` run first. For signatures that pass these
 * checks, the providers agree.
 */
import type * as NodeCrypto from 'node:crypto'
import { hashes, sign as nobleSign, verify as nobleVerify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesEqual, isBytes } from '../bytes/bytes.js'
import { nodeCrypto } from '../bytes/node-crypto.js'
import { CryptoError } from '../error.js'
import { isTorsionFreeR, isWellFormedSignature } from './curve-check.js'
import { type KeyId, type PrivateKey, type PublicKey, parsePrivateKey, parsePublicKey, seedOf } from './key.js'

/** Signs with one key. A signer that calls a key service may return a promise. */
export interface Signer {
  readonly keyId: KeyId
  readonly publicKey: PublicKey
  /** Returns the 64-byte signature of a message. Throws or rejects if the signer cannot sign. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Verifies with one key. */
export interface Verifier {
  readonly keyId: KeyId
  readonly publicKey: PublicKey
  /**
   * Reports whether the signature of the message is valid under this key. Never throws, not even for malformed
   * input.
   */
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/** The implementation of the arithmetic. Both providers return the same verdicts; `node` is ten times as fast. */
export type SignatureProvider = 'node' | 'noble'

type Sign = (message: Uint8Array) => Uint8Array
type Verify = (message: Uint8Array, signature: Uint8Array) => boolean

/**
 * Creates a signer from a private key in this process. The signer's `sign` method throws TypeError if the message
 * is not a Uint8Array.
 *
 * @param provider - Default: `node` if available
 * @throws CryptoError if `key` was not created by this package and is not a valid key; TypeError if the provider is
 *   unknown or not available
 * @example
 * const signer = createSigner(generatePrivateKey())
 * createVerifier(signer.publicKey).verify(message, signer.sign(message)) // true
 */
export function createSigner(
  key: PrivateKey,
  provider: SignatureProvider = defaultProvider(),
): { sign(message: Uint8Array): Uint8Array } & Signer {
  const own = parsePrivateKey(key.pem)
  const provided = signerOf(own, provider)
  const sign: Sign = (message) => {
    if (!isBytes(message)) throw new TypeError('message must be a Uint8Array')
    return provided.sign(message)
  }
  const signer = Object.freeze({ keyId: own.publicKey.keyId, publicKey: own.publicKey, sign })
  if (provided.signAside !== null) asideSigners.set(signer, provided.signAside)
  return signer
}

/**
 * The functions that sign on other threads, by signer. The lookup uses object identity. A signer derived from one
 * of these signers with a custom `sign` is therefore not found, and the custom `sign` is called.
 */
const asideSigners = new WeakMap<Signer, (message: Uint8Array) => Promise<Uint8Array>>()

/**
 * The minimum number of messages to sign on other threads. Signing fewer messages takes less time than waking a
 * thread.
 */
const ASIDE_MIN = 4

/**
 * Signs several messages in parallel on other threads without blocking this thread. The signatures are returned in
 * message order.
 *
 * @returns null if the signer was not created by `createSigner` with the provider `node`, or if there are too few
 *   messages; call `sign` instead
 * @example
 * const signatures = await (signAside(signer, messages) ?? Promise.all(messages.map((one) => signer.sign(one))))
 */
export function signAside(signer: Signer, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> | null {
  const sign = messages.length < ASIDE_MIN ? undefined : asideSigners.get(signer)
  return sign === undefined ? null : Promise.all(messages.map(sign))
}

/**
 * Creates a verifier for one public key. The key is checked only once, so each signature costs only the provider's
 * arithmetic.
 *
 * @param provider - Default: `node` if available
 * @throws CryptoError if the fields of `key` differ from the result of parsing its PEM; TypeError if the provider
 *   is unknown or not available
 */
export function createVerifier(key: PublicKey, provider: SignatureProvider = defaultProvider()): Verifier {
  // A key object may come from any source, so the key is parsed again from `pem`, an immutable string.
  const own = parsePublicKey(key.pem)
  if (own.keyId !== key.keyId || !isBytes(key.bytes) || !bytesEqual(own.bytes, key.bytes)) {
    throw new CryptoError('KEY_INVALID', 'the fields of the public key are inconsistent')
  }
  const holds = verifierOf(own, provider)
  const verify: Verify = (message, signature) => {
    try {
      return isBytes(message) && isBytes(signature) && isWellFormedSignature(signature) && holds(message, signature)
    } catch {
      // If the provider throws, the signature counts as invalid.
      return false
    }
  }
  return Object.freeze({ keyId: own.keyId, publicKey: own, verify })
}

const defaultProvider = (): SignatureProvider => (nodeCrypto === undefined ? 'noble' : 'node')

interface Provided {
  readonly sign: Sign
  /** Null if the provider does not support threads. */
  readonly signAside: ((message: Uint8Array) => Promise<Uint8Array>) | null
}

function signerOf(key: PrivateKey, provider: SignatureProvider): Provided {
  const crypto = cryptoOf(provider)
  if (crypto !== null) {
    const keyObject = crypto.createPrivateKey(key.pem)
    return {
      sign: (message) => new Uint8Array(crypto.sign(null, message, keyObject)),
      signAside: (message) =>
        new Promise((resolve, reject) => {
          crypto.sign(null, message, keyObject, (error, signature) =>
            error === null ? resolve(new Uint8Array(signature)) : reject(error),
          )
        }),
    }
  }
  const seed = seedOf(key)
  const sign: Sign = (message) => {
    hashes.sha512 = sha512
    return nobleSign(message, seed)
  }
  return { sign, signAside: null }
}

function verifierOf(key: PublicKey, provider: SignatureProvider): Verify {
  const crypto = cryptoOf(provider)
  if (crypto !== null) {
    const keyObject = crypto.createPublicKey(key.pem)
    return (message, signature) => crypto.verify(null, message, keyObject, signature)
  }
  const bytes = Uint8Array.from(key.bytes)
  return (message, signature) => {
    hashes.sha512 = sha512
    // noble multiplies by the cofactor, which hides a small-order component in R; OpenSSL does not.
    return nobleVerify(signature, message, bytes, { zip215: false }) && isTorsionFreeR(signature)
  }
}

/** Returns the module of a provider, or null for noble, which does not need one. */
function cryptoOf(provider: SignatureProvider): typeof NodeCrypto | null {
  if (provider === 'noble') return null
  if (provider !== 'node') throw new TypeError('provider must be `node` or `noble`')
  if (nodeCrypto === undefined) throw new TypeError('provider `node` requires node:crypto, which this platform lacks')
  return nodeCrypto
}
