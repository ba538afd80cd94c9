/**
 * Encrypts and decrypts a PKCS#8 private key with a passphrase (`encrypted-key-scheme.ts` describes the format):
 *
 *     key  = PBKDF2-HMAC-SHA-256(passphrase in UTF-8, 16 random bytes of salt, 600,000 iterations), 32 bytes
 *     file = AES-256-CBC(key, 16 random bytes of IV, PKCS#8)
 *
 * node:crypto can also write such files, but only with 2,048 iterations
 * (https://github.com/nodejs/node/issues/53359).
 *
 * The cipher does not authenticate the file. A wrong passphrase is detected because the decrypted bytes do not have
 * the structure of a key. A file modified by an attacker may decrypt to a different key; to detect such a change,
 * compare the key id.
 */
import type * as NodeCrypto from 'node:crypto'
import { concatBytes } from '../bytes/bytes.js'
import { nodeCrypto } from '../bytes/node-crypto.js'
import { CryptoError } from '../error.js'
import { type EncryptedKey, encodeEncryptedKey, parseEncryptedKey, scryptMemoryBytes } from './encrypted-key-scheme.js'

/** The OWASP recommendation for PBKDF2-HMAC-SHA-256. One derivation takes about a tenth of a second. */
const ITERATIONS = 600_000
const SALT_BYTES = 16
const IV_BYTES = 16

/** The maximum passphrase length that OpenSSL and node accept. */
const PASSPHRASE_BYTES_MAX = 1023

/**
 * Decrypts a DER EncryptedPrivateKeyInfo; returns the DER PKCS#8.
 *
 * @throws CryptoError `PASSPHRASE_MISSING`; `PASSPHRASE_WRONG`; `KEY_INVALID` for a file that is damaged or too
 *   expensive to decrypt; `KEY_WRONG_TYPE` if the encryption scheme is not supported or node:crypto is missing;
 *   TypeError for a passphrase that is not a string
 */
export function decryptPkcs8(der: Uint8Array, passphrase: string | undefined): Uint8Array {
  const encrypted = parseEncryptedKey(der)
  if (nodeCrypto === undefined) {
    throw new CryptoError(
      'KEY_WRONG_TYPE',
      'decrypting a private key requires node:crypto, which this platform lacks',
      'decrypt the key first: openssl pkey -in encrypted.pem -out private.pem',
    )
  }
  if (passphrase === undefined) {
    throw new CryptoError(
      'PASSPHRASE_MISSING',
      'the private key is encrypted, and no passphrase was given',
      'enter the passphrase, or decrypt the key: openssl pkey -in encrypted.pem -out private.pem',
    )
  }
  const pkcs8 = decrypt(nodeCrypto, encrypted, encodePassphrase(passphrase))
  if (pkcs8 === null || !looksLikePkcs8(pkcs8)) {
    throw new CryptoError(
      'PASSPHRASE_WRONG',
      'the passphrase does not decrypt the private key',
      'check the passphrase; if it is correct, the key file is damaged and cannot be decrypted',
    )
  }
  return pkcs8
}

/**
 * Encrypts a DER PKCS#8; returns a DER EncryptedPrivateKeyInfo.
 *
 * @throws CryptoError `PASSPHRASE_MISSING` for an empty passphrase; `VALUE_REFUSED` for a passphrase that is longer
 *   than 1,023 bytes or contains a lone surrogate; TypeError if the passphrase is not a string or node:crypto is
 *   missing
 */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string): Uint8Array {
  if (nodeCrypto === undefined)
    throw new TypeError('encrypting a private key requires node:crypto, which this platform lacks')
  const bytes = encodePassphrase(passphrase)
  if (bytes.length === 0) throw new CryptoError('PASSPHRASE_MISSING', 'the passphrase is empty')
  if (bytes.length > PASSPHRASE_BYTES_MAX) {
    throw new CryptoError('VALUE_REFUSED', `the passphrase is longer than ${PASSPHRASE_BYTES_MAX} bytes`)
  }
  const [salt, iv] = [nodeCrypto.randomBytes(SALT_BYTES), nodeCrypto.randomBytes(IV_BYTES)]
  const key = nodeCrypto.pbkdf2Sync(bytes, salt, ITERATIONS, 32, 'sha256')
  const cipher = nodeCrypto.createCipheriv('aes-256-cbc', key, iv)
  return encodeEncryptedKey(salt, ITERATIONS, iv, concatBytes(cipher.update(pkcs8), cipher.final()))
}

/** Returns null if the padding is invalid. About one in 256 wrong passphrases gives valid padding. */
function decrypt(crypto: typeof NodeCrypto, encrypted: EncryptedKey, passphrase: Uint8Array): Uint8Array | null {
  const { cipher, iv, ciphertext } = encrypted
  const decipher = crypto.createDecipheriv(cipher, deriveKey(crypto, encrypted, passphrase), iv)
  const start = decipher.update(ciphertext)
  try {
    return concatBytes(start, decipher.final())
  } catch {
    return null
  }
}

function deriveKey(crypto: typeof NodeCrypto, encrypted: EncryptedKey, passphrase: Uint8Array): Uint8Array {
  const { derivation, cipherKeyBytes } = encrypted
  if (derivation.kind === 'pbkdf2') {
    const { salt, iterations, digest } = derivation
    return crypto.pbkdf2Sync(passphrase, salt, iterations, cipherKeyBytes, digest)
  }
  const { salt, N, r, p } = derivation
  // `maxmem` replaces node's default limit of 32 MiB. `parseEncryptedKey` has already enforced the higher limit of
  // this package.
  return crypto.scryptSync(passphrase, salt, cipherKeyBytes, { N, r, p, maxmem: scryptMemoryBytes(N, r, p) })
}

/**
 * Reports whether the bytes are a complete SEQUENCE that begins with version 0 or 1. About one in a billion random
 * byte strings passes this check.
 */
function looksLikePkcs8(bytes: Uint8Array): boolean {
  const [tag, length = 0] = bytes
  const headBytes = length < 0x80 ? 2 : 2 + (length & 0x7f)
  const said = length < 0x80 ? length : bytes.subarray(2, headBytes).reduce((sum, byte) => sum * 0x100 + byte, 0)
  const [integer, one, version = 2] = bytes.subarray(headBytes)
  return tag === 0x30 && said === bytes.length - headBytes && integer === 0x02 && one === 1 && version <= 1
}

/** Encodes a passphrase as UTF-8 without normalisation, as other implementations do. */
function encodePassphrase(passphrase: string): Uint8Array {
  if (typeof passphrase !== 'string') throw new TypeError('passphrase must be a string')
  if (!passphrase.isWellFormed()) throw new CryptoError('VALUE_REFUSED', 'the passphrase contains a lone surrogate')
  return new TextEncoder().encode(passphrase)
}
