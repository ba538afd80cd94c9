/**
 * Ed25519 (RFC 8032, PureEdDSA) with one verdict on every provider.
 *
 * Two providers do the arithmetic: `node:crypto`, and noble's JavaScript for browsers. Their edge cases differ, so the
 * rule for what is valid stands in front of both (`curve-check.ts`); what passes it, they agree on.
 */
import type * as NodeCrypto from 'node:crypto'
import { hashes, sign as nobleSign, verify as nobleVerify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesEqual, isBytes } from '../bytes/bytes.js'
import { nodeCrypto } from '../bytes/node-crypto.js'
import { CryptoError } from '../error.js'
import { isTorsionFreeR, isWellFormedSignature } from './curve-check.js'
import { type KeyId, type PrivateKey, type PublicKey, parsePrivateKey, parsePublicKey, seedOf } from './key.js'

/** Signs with one key. A signer that asks a key service may answer with a promise. */
export interface Signer {
  readonly keyId: KeyId
  readonly publicKey: PublicKey
  /** The 64 bytes of the signature over a message. Rejects or throws when it cannot sign. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Verifies under one key. */
export interface Verifier {
  readonly keyId: KeyId
  readonly publicKey: PublicKey
  /** Whether the signature is this key's over the message. Never throws: whatever is not a valid signature is false. */
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/** Who does the arithmetic. The verdicts are the same; node is ten times as fast. */
export type SignatureProvider = 'node' | 'noble'

type Sign = (message: Uint8Array) => Uint8Array
type Verify = (message: Uint8Array, signature: Uint8Array) => boolean

/**
 * A signer that holds the private key in this process. Its `sign` throws TypeError when the message is not bytes.
 *
 * @param provider by default node where there is one.
 * @throws CryptoError when `key` did not come from this package and is not a valid key; TypeError for an unknown or
 * missing provider.
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
 * How to sign on other threads, for signers that were made here. By identity: a signer that somebody made out of one of ours, with a `sign` of
 * its own, is asked for each signature itself.
 */
const asideSigners = new WeakMap<Signer, (message: Uint8Array) => Promise<Uint8Array>>()

/** Fewer are signed faster than another thread is woken. */
const ASIDE_MIN = 4

/**
 * The signatures over several messages, in their order, made side by side on other threads while this one is free.
 *
 * @returns null when the signer cannot (one that `createSigner` did not make, or not with node), or it is not worth it:
 * then ask `sign`
 * @example
 * const signatures = await (signAside(signer, messages) ?? Promise.all(messages.map((one) => signer.sign(one))))
 */
export function signAside(signer: Signer, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> | null {
  const sign = messages.length < ASIDE_MIN ? undefined : asideSigners.get(signer)
  return sign === undefined ? null : Promise.all(messages.map(sign))
}

/**
 * A verifier for one public key. The key is checked here, once; a signature costs only the provider's arithmetic.
 *
 * @param provider by default node where there is one.
 * @throws CryptoError when `key` is not what `parsePublicKey` makes of its PEM; TypeError for an unknown or missing
 * provider.
 */
export function createVerifier(key: PublicKey, provider: SignatureProvider = defaultProvider()): Verifier {
  // Parsed again from the one field that cannot be changed in place: a key object may have come from anywhere.
  const own = parsePublicKey(key.pem)
  if (own.keyId !== key.keyId || !isBytes(key.bytes) || !bytesEqual(own.bytes, key.bytes)) {
    throw new CryptoError('KEY_INVALID', 'the fields of the public key contradict one another')
  }
  const holds = verifierOf(own, provider)
  const verify: Verify = (message, signature) => {
    try {
      return isBytes(message) && isBytes(signature) && isWellFormedSignature(signature) && holds(message, signature)
    } catch {
      // A provider that fails has not verified.
      return false
    }
  }
  return Object.freeze({ keyId: own.keyId, publicKey: own, verify })
}

const defaultProvider = (): SignatureProvider => (nodeCrypto === undefined ? 'noble' : 'node')

interface Provided {
  readonly sign: Sign
  /** Null where there are no threads to be had. */
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

/** The module behind a provider; null stands for noble, which needs none. */
function cryptoOf(provider: SignatureProvider): typeof NodeCrypto | null {
  if (provider === 'noble') return null
  if (provider !== 'node') throw new TypeError('provider must be `node` or `noble`')
  if (nodeCrypto === undefined) throw new TypeError('provider `node` needs node:crypto, which this platform lacks')
  return nodeCrypto
}
