/**
 * Ed25519 keys in PEM (RFC 8410): public keys as SPKI, private keys as PKCS#8.
 *
 * An Ed25519 SPKI is always the same 12 bytes followed by the 32 key bytes. An Ed25519 PKCS#8 (version 1) is always
 * the same 16 bytes followed by the 32 seed bytes. The DER is therefore compared instead of parsed:
 *
 *     SPKI      302a300506032b6570032100 <key>
 *     PKCS#8 v1 302e020100300506032b657004220420 <seed>                  (OpenSSL, Python)
 *     PKCS#8 v2 3051020101300506032b657004220420 <seed> 812100 <key>     (with the public key)
 *
 * A PKCS#8 private key may be encrypted with a passphrase (`encrypted-key.ts`).
 */
import { getPublicKey, hashes } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesEqual, concatBytes, isBytes } from '../bytes/bytes.js'
import { hexToBytes, sha256Hex } from '../bytes/hash.js'
import { nodeCrypto } from '../bytes/node-crypto.js'
import { CryptoError } from '../error.js'
import { publicKeyFault } from './curve-check.js'
import { decryptPkcs8, encryptPkcs8 } from './encrypted-key.js'
import { requireLabel, wrongAlgorithm } from './key-kind.js'
import { formatPem, parsePem, pemLabel } from './pem.js'

declare const brand: unique symbol

/**
 * A key id: the first 16 hex digits of the SHA-256 of the DER SPKI. The type is branded so that other strings
 * cannot be passed as a key id.
 */
export type KeyId = string & { readonly [brand]: 'KeyId' }

/** An Ed25519 public key that passed the checks in `curve-check.ts`. */
export interface PublicKey {
  /** The 32-byte encoding defined in RFC 8032. */
  readonly bytes: Uint8Array
  readonly keyId: KeyId
  /** SPKI PEM with LF line endings. */
  readonly pem: string
}

/** An Ed25519 private key. Printing, inspecting or converting the key to JSON shows only the key id. */
export interface PrivateKey {
  readonly publicKey: PublicKey
  /** PKCS#8 PEM with LF line endings. Secret and never enumerable. */
  readonly pem: string
}

const KEY_BYTES = 32
const KEY_ID_CHARS = 16

const SPKI_PREFIX = hexToBytes('302a300506032b6570032100')
const PKCS8_V1_PREFIX = hexToBytes('302e020100300506032b657004220420')
const PKCS8_V2_PREFIX = hexToBytes('3051020101300506032b657004220420')
const PKCS8_V2_PUBLIC_PREFIX = hexToBytes('812100')

const SPKI_LABEL = 'PUBLIC KEY'
const PKCS8_LABEL = 'PRIVATE KEY'
const ENCRYPTED_LABEL = 'ENCRYPTED PRIVATE KEY'

/**
 * Reads a public key and checks it.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` for a different kind of key (a private key, RSA, EC, a certificate, OpenSSH
 *   format); `KEY_INVALID` if the text is not strict PEM of an Ed25519 SPKI or the key is not a canonical point;
 *   `KEY_WEAK` for a point of small or mixed order
 * @example
 * const key = parsePublicKey(await readFile('ledger.pub.pem', 'utf8'))
 * key.keyId // '8d5b1f6e0c3a4b77'
 */
export function parsePublicKey(pem: string): PublicKey {
  requireLabel(pem, SPKI_LABEL)
  const der = parsePem(pem)
  const bytes = stripPrefix(der, SPKI_PREFIX, KEY_BYTES)
  if (bytes === null) throw wrongAlgorithm(der, 'public')
  return makePublicKey(bytes)
}

/**
 * Reads a private key. An encrypted key (PBES2, as written by `openssl pkcs8 -topk8`, node:crypto and
 * `encryptPrivateKey`) requires its passphrase and node:crypto. Decryption takes the time that the file demands, at
 * most about five seconds.
 *
 * @param passphrase - ignored if the key is not encrypted
 * @throws CryptoError `KEY_WRONG_TYPE` for a different kind of key (a public key, RSA, EC, OpenSSH format, an
 *   encrypted key in a browser); `KEY_INVALID` if the text is not strict PEM of an Ed25519 PKCS#8, the embedded
 *   public key does not match the private key, or decryption would exceed a limit; `PASSPHRASE_MISSING`;
 *   `PASSPHRASE_WRONG`
 */
export function parsePrivateKey(pem: string, passphrase?: string): PrivateKey {
  const isEncrypted = typeof pem === 'string' && pemLabel(pem) === ENCRYPTED_LABEL
  if (isEncrypted) return parsePkcs8(decryptPkcs8(parsePem(pem), passphrase))
  requireLabel(pem, PKCS8_LABEL)
  return parsePkcs8(parsePem(pem))
}

/**
 * Encrypts a private key with a passphrase. The result is PKCS#8 PEM with PBES2, which OpenSSL and node:crypto can
 * also read.
 *
 * @param passphrase - 1 to 1,023 bytes in UTF-8
 * @throws CryptoError `PASSPHRASE_MISSING` for an empty passphrase; `VALUE_REFUSED` for a passphrase that is too
 *   long or contains a lone surrogate; the errors of `parsePrivateKey` for a key that was not created by this
 *   package; TypeError if the passphrase is not a string or node:crypto is missing
 */
export function encryptPrivateKey(key: PrivateKey, passphrase: string): string {
  const pkcs8 = parsePem(parsePrivateKey(key.pem).pem)
  return formatPem(ENCRYPTED_LABEL, encryptPkcs8(pkcs8, passphrase))
}

function parsePkcs8(der: Uint8Array): PrivateKey {
  const v1 = stripPrefix(der, PKCS8_V1_PREFIX, KEY_BYTES)
  if (v1 !== null) return makePrivateKey(v1)
  const v2 = stripPrefix(der, PKCS8_V2_PREFIX, KEY_BYTES + PKCS8_V2_PUBLIC_PREFIX.length + KEY_BYTES)
  const carried = v2 && stripPrefix(v2.subarray(KEY_BYTES), PKCS8_V2_PUBLIC_PREFIX, KEY_BYTES)
  if (!v2 || !carried) throw wrongAlgorithm(der, 'private')
  const key = makePrivateKey(v2.slice(0, KEY_BYTES))
  if (!bytesEqual(key.publicKey.bytes, carried)) {
    throw new CryptoError('KEY_INVALID', 'the private key contains a public key that does not match')
  }
  return key
}

/**
 * Generates a private key.
 *
 * @param randomBytes - returns the 32 secret bytes. Default: the cryptographic random source of the platform.
 *   Override it only in tests.
 * @throws TypeError if `randomBytes` does not return 32 bytes
 */
export function generatePrivateKey(randomBytes: (length: number) => Uint8Array = platformRandom): PrivateKey {
  const seed = randomBytes(KEY_BYTES)
  if (!isBytes(seed) || seed.length !== KEY_BYTES) throw new TypeError(`randomBytes must return ${KEY_BYTES} bytes`)
  return makePrivateKey(Uint8Array.from(seed))
}

const platformRandom = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))

/** Returns the 32 secret bytes of a private key that was created by this module. */
export function seedOf(key: PrivateKey): Uint8Array {
  return parsePem(key.pem).slice(PKCS8_V1_PREFIX.length)
}

/**
 * Creates a public key from 32 bytes after the same checks as in `parsePublicKey`. The caller must not modify the
 * bytes afterwards.
 *
 * @throws CryptoError `KEY_INVALID`, `KEY_WEAK`
 */
export function makePublicKey(bytes: Uint8Array): PublicKey {
  const fault = publicKeyFault(bytes)
  if (fault === 'not a point') throw new CryptoError('KEY_INVALID', 'the public key is not a canonical curve point')
  if (fault !== null) {
    throw new CryptoError(
      'KEY_WEAK',
      `the public key is a point of ${fault}, so a signature by this key proves nothing`,
      'correct software does not create such keys: check where this key came from',
    )
  }
  const spki = concatBytes(SPKI_PREFIX, bytes)
  const keyId = sha256Hex(spki).slice(0, KEY_ID_CHARS) as KeyId
  return Object.freeze({ bytes, keyId, pem: formatPem(SPKI_LABEL, spki) })
}

function makePrivateKey(seed: Uint8Array): PrivateKey {
  const pem = formatPem(PKCS8_LABEL, concatBytes(PKCS8_V1_PREFIX, seed))
  return new Ed25519PrivateKey(pem, makePublicKey(derivePublicKey(seed, pem)))
}

/** Prefers node:crypto: the first multiplication in noble builds tables and takes 40 times as long. */
function derivePublicKey(seed: Uint8Array, pem: string): Uint8Array {
  if (nodeCrypto !== undefined) {
    const spki = nodeCrypto.createPublicKey(pem).export({ format: 'der', type: 'spki' })
    return Uint8Array.from(spki.subarray(SPKI_PREFIX.length))
  }
  hashes.sha512 = sha512
  return getPublicKey(seed)
}

function stripPrefix(bytes: Uint8Array, prefix: Uint8Array, length: number): Uint8Array | null {
  if (bytes.length !== prefix.length + length || !bytesEqual(bytes.subarray(0, prefix.length), prefix)) return null
  return bytes.slice(prefix.length)
}

/** Stores the secret in a private field, which inspection, enumeration and cloning cannot access. */
class Ed25519PrivateKey implements PrivateKey {
  readonly publicKey: PublicKey
  readonly #pem: string

  constructor(pem: string, publicKey: PublicKey) {
    this.publicKey = publicKey
    this.#pem = pem
    Object.freeze(this)
  }

  get pem(): string {
    return this.#pem
  }

  toString(): string {
    return `PrivateKey(${this.publicKey.keyId})`
  }

  toJSON(): { readonly keyId: KeyId } {
    return { keyId: this.publicKey.keyId }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
