/**
 * Ed25519 (RFC 8032, PureEdDSA) with the same verdict from every provider.
 *
 * Two providers do the arithmetic: `node:crypto`, and noble's JavaScript for browsers. Their edge cases differ, so
 * both are preceded by the checks of `curve-check.ts`; for signatures that pass these checks, the providers agree.
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
  /** The signature of a message, 64 bytes. Rejects or throws when it cannot sign. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Verifies with one key. */
export interface Verifier {
  readonly keyId: KeyId
  readonly publicKey: PublicKey
  /**
   * Whether the signature is this key's signature of the message. Never throws: an invalid signature returns false.
   */
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/** The implementation of the arithmetic. The verdicts are the same; node is ten times as fast. */
export type SignatureProvider = 'node' | 'noble'

type Sign = (message: Uint8Array) => Uint8Array
type Verify = (message: Uint8Array, signature: Uint8Array) => boolean

/**
 * Makes a signer with a private key in this process. Its `sign` throws TypeError when the message is not bytes.
 *
 * @param provider - default: node if it exists
 * @throws CryptoError when `key` was not made by this package and is not a valid key; TypeError for an unknown or
 *   missing provider
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
 * Functions that sign on other threads, for signers made by `createSigner`. They are found by identity: a signer
 * that was derived from one of these with its own `sign` is called for each signature.
 */
const asideSigners = new WeakMap<Signer, (message: Uint8Array) => Promise<Uint8Array>>()

/** Fewer messages are signed faster than another thread is woken. */
const ASIDE_MIN = 4

/**
 * Signs several messages in parallel on other threads, while this thread is free. The signatures are in the order
 * of the messages.
 *
 * @returns null when the signer does not support it (it was not made by `createSigner` with node), or the messages
 *   are too few: call `sign` instead
 * @example
 * const signatures = await (signAside(signer, messages) ?? Promise.all(messages.map((one) => signer.sign(one))))
 */
export function signAside(signer: Signer, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> | null {
  const sign = messages.length < ASIDE_MIN ? undefined : asideSigners.get(signer)
  return sign === undefined ? null : Promise.all(messages.map(sign))
}

/**
 * Makes a verifier for one public key. The key is checked once; a signature then costs only the provider's
 * arithmetic.
 *
 * @param provider - default: node if it exists
 * @throws CryptoError when `key` differs from the result of `parsePublicKey` for its PEM; TypeError for an unknown
 *   or missing provider
 */
export function createVerifier(key: PublicKey, provider: SignatureProvider = defaultProvider()): Verifier {
  // Parsed again from the one field that cannot be changed in place, because a key object may come from any source.
  const own = parsePublicKey(key.pem)
  if (own.keyId !== key.keyId || !isBytes(key.bytes) || !bytesEqual(own.bytes, key.bytes)) {
    throw new CryptoError('KEY_INVALID', 'the fields of the public key are inconsistent')
  }
  const holds = verifierOf(own, provider)
  const verify: Verify = (message, signature) => {
    try {
      return isBytes(message) && isBytes(signature) && isWellFormedSignature(signature) && holds(message, signature)
    } catch {
      // A failure of the provider is not a valid signature.
      return false
    }
  }
  return Object.freeze({ keyId: own.keyId, publicKey: own, verify })
}

const defaultProvider = (): SignatureProvider => (nodeCrypto === undefined ? 'noble' : 'node')

interface Provided {
  readonly sign: Sign
  /** Null when the provider has no threads. */
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
    // noble multiplies by the cofactor, which hides a component of small order in R; OpenSSL does not.
    return nobleVerify(signature, message, bytes, { zip215: false }) && isTorsionFreeR(signature)
  }
}

/** The module of a provider; null for noble, which needs none. */
function cryptoOf(provider: SignatureProvider): typeof NodeCrypto | null {
  if (provider === 'noble') return null
  if (provider !== 'node') throw new TypeError('provider must be `node` or `noble`')
  if (nodeCrypto === undefined) throw new TypeError('provider `node` needs node:crypto, which this platform lacks')
  return nodeCrypto
}
