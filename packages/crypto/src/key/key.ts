/**
 * Ed25519 keys in PEM (RFC 8410): a public key as SPKI, a private key as PKCS#8.
 *
 * An Ed25519 SPKI always consists of the same 12 bytes and the 32 bytes of the key, and a PKCS#8 of the same 16
 * bytes and the 32 bytes of the seed, so the DER is compared instead of parsed:
 *
 *     SPKI      302a300506032b6570032100 <key>
 *     PKCS#8 v1 302e020100300506032b657004220420 <seed>                  (OpenSSL, Python)
 *     PKCS#8 v2 3051020101300506032b657004220420 <seed> 812100 <key>     (with the public key)
 *
 * A PKCS#8 may be encrypted with a passphrase (`encrypted-key.ts`).
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
 * The id of a key: the first 16 hex digits of the SHA-256 of its DER SPKI. The type is branded, so that other
 * strings cannot be passed as a key id.
 */
export type KeyId = string & { readonly [brand]: 'KeyId' }

/** An Ed25519 public key that passed the checks of `curve-check.ts`. */
export interface PublicKey {
  /** The 32 bytes of RFC 8032. */
  readonly bytes: Uint8Array
  readonly keyId: KeyId
  /** SPKI PEM with LF line ends. */
  readonly pem: string
}

/** An Ed25519 private key. When it is printed, inspected or converted to JSON, only its key id is shown. */
export interface PrivateKey {
  readonly publicKey: PublicKey
  /** PKCS#8 PEM with LF line ends. Secret and never enumerable. */
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
 * @throws CryptoError `KEY_WRONG_TYPE` for another kind of key (a private key, RSA, EC, a certificate, OpenSSH's
 *   format), `KEY_INVALID` for text that is not strict PEM of an Ed25519 SPKI or not a canonical point, `KEY_WEAK`
 *   for a point of small or mixed order
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
 * `encryptPrivateKey`) requires its passphrase, node:crypto, and as much time as the file demands (at most about
 * five seconds).
 *
 * @param passphrase - ignored when the key is not encrypted
 * @throws CryptoError `KEY_WRONG_TYPE` for another kind of key (a public key, RSA, EC, OpenSSH's format, an
 *   encrypted key in a browser), `KEY_INVALID` for text that is not strict PEM of an Ed25519 PKCS#8, contains a
 *   public key of another private key, or needs too much work to decrypt; `PASSPHRASE_MISSING`, `PASSPHRASE_WRONG`
 */
export function parsePrivateKey(pem: string, passphrase?: string): PrivateKey {
  const isEncrypted = typeof pem === 'string' && pemLabel(pem) === ENCRYPTED_LABEL
  if (isEncrypted) return parsePkcs8(decryptPkcs8(parsePem(pem), passphrase))
  requireLabel(pem, PKCS8_LABEL)
  return parsePkcs8(parsePem(pem))
}

/**
 * Encrypts a private key with a passphrase. The result is PEM: PKCS#8 with PBES2, which OpenSSL and node:crypto
 * read, too.
 *
 * @param passphrase - of 1 to 1,023 bytes in UTF-8
 * @throws CryptoError `PASSPHRASE_MISSING` when the passphrase is empty, `VALUE_REFUSED` when it is too long or not
 *   well-formed, and errors of `parsePrivateKey` for a key that was not made by this package; TypeError when the
 *   passphrase is not a string, or node:crypto is missing
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
    throw new CryptoError('KEY_INVALID', 'the private key contains a public key that does not belong to it')
  }
  return key
}

/**
 * Makes a new private key.
 *
 * @param randomBytes - the source of the 32 secret bytes; default: the platform's cryptographic source. Use another
 *   one only in tests.
 * @throws TypeError when the source does not return 32 bytes
 */
export function generatePrivateKey(randomBytes: (length: number) => Uint8Array = platformRandom): PrivateKey {
  const seed = randomBytes(KEY_BYTES)
  if (!isBytes(seed) || seed.length !== KEY_BYTES) throw new TypeError(`randomBytes must return ${KEY_BYTES} bytes`)
  return makePrivateKey(Uint8Array.from(seed))
}

const platformRandom = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))

/** The 32 secret bytes of a private key that this module made. */
export function seedOf(key: PrivateKey): Uint8Array {
  return parsePem(key.pem).slice(PKCS8_V1_PREFIX.length)
}

/**
 * Makes a public key from 32 bytes, with the checks of `parsePublicKey`. The bytes must not change afterwards.
 *
 * @throws CryptoError `KEY_INVALID`, `KEY_WEAK`
 */
export function makePublicKey(bytes: Uint8Array): PublicKey {
  const fault = publicKeyFault(bytes)
  if (fault === 'not a point') throw new CryptoError('KEY_INVALID', 'the public key is not a canonical curve point')
  if (fault !== null) {
    throw new CryptoError(
      'KEY_WEAK',
      `the public key is a point of ${fault}, under which signatures prove nothing`,
      'correct software does not create such keys: check the source of this one',
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

/** Uses node if possible: noble's first multiplication builds tables, which takes 40 times as long. */
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

/** The secret is in a private field, which inspection, enumeration and cloning cannot access. */
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
