/**
 * Encrypts a PKCS#8 private key under a passphrase, and opens such keys (`encrypted-key-scheme.ts` has the format):
 *
 *     key  = PBKDF2-HMAC-SHA-256(passphrase in UTF-8, 16 random bytes of salt, 600,000 iterations), 32 bytes
 *     file = AES-256-CBC(key, 16 random bytes of IV, PKCS#8)
 *
 * node:crypto can write such a file by itself, but with 2,048 iterations, and lets nobody choose
 * (https://github.com/nodejs/node/issues/53359).
 *
 * The cipher does not authenticate. That the passphrase was the right one shows in the form of what comes out, and a file
 * that somebody damaged in the right place opens as another key: who must know compares the key id.
 */
import type * as NodeCrypto from 'node:crypto'
import { concatBytes } from '../bytes/bytes.js'
import { nodeCrypto } from '../bytes/node-crypto.js'
import { CryptoError } from '../error.js'
import { type EncryptedKey, encodeEncryptedKey, parseEncryptedKey, scryptMemoryBytes } from './encrypted-key-scheme.js'

/** What OWASP recommends for PBKDF2-HMAC-SHA-256: a tenth of a second for us, and for every guess. */
const ITERATIONS = 600_000
const SALT_BYTES = 16
const IV_BYTES = 16

/** OpenSSL and node read no longer one. */
const PASSPHRASE_BYTES_MAX = 1023

/**
 * The DER PKCS#8 in a DER EncryptedPrivateKeyInfo.
 *
 * @throws CryptoError `PASSPHRASE_MISSING`, `PASSPHRASE_WRONG`, `KEY_INVALID` for what is damaged or would take too much
 * work to open, `KEY_WRONG_TYPE` when it is encrypted by other means or there is no node:crypto; TypeError for a
 * passphrase that is no text.
 */
export function decryptPkcs8(der: Uint8Array, passphrase: string | undefined): Uint8Array {
  const encrypted = parseEncryptedKey(der)
  if (nodeCrypto === undefined) {
    throw new CryptoError(
      'KEY_WRONG_TYPE',
      'an encrypted private key was given where there is no node:crypto to decrypt it',
      'decrypt it first: openssl pkey -in encrypted.pem -out private.pem',
    )
  }
  if (passphrase === undefined) {
    throw new CryptoError(
      'PASSPHRASE_MISSING',
      'the private key is encrypted, and no passphrase is given',
      'give its passphrase, or decrypt it: openssl pkey -in encrypted.pem -out private.pem',
    )
  }
  const pkcs8 = decrypt(nodeCrypto, encrypted, encodePassphrase(passphrase))
  if (pkcs8 === null || !looksLikePkcs8(pkcs8)) {
    throw new CryptoError(
      'PASSPHRASE_WRONG',
      'the passphrase does not open the private key',
      'give the passphrase with which it was encrypted; of a key file that was damaged, none does',
    )
  }
  return pkcs8
}

/**
 * Encrypts a DER PKCS#8; returns a DER EncryptedPrivateKeyInfo.
 *
 * @throws CryptoError `PASSPHRASE_MISSING` when the passphrase is empty, `VALUE_REFUSED` when it is longer than 1,023
 * bytes or no well-formed text; TypeError when it is no text, or there is no node:crypto.
 */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string): Uint8Array {
  if (nodeCrypto === undefined) throw new TypeError('encrypting needs node:crypto, which this platform lacks')
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

/** Null when the padding is wrong, as it is with all but one in 256 wrong passphrases. */
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
  // The limit of node, 32 MiB, is lower than ours; the envelope was read with ours.
  return crypto.scryptSync(passphrase, salt, cipherKeyBytes, { N, r, p, maxmem: scryptMemoryBytes(N, r, p) })
}

/** Whether bytes are one whole SEQUENCE that begins with a version, 0 or 1: by chance, one in a billion is. */
function looksLikePkcs8(bytes: Uint8Array): boolean {
  const [tag, length = 0] = bytes
  const headBytes = length < 0x80 ? 2 : 2 + (length & 0x7f)
  const said = length < 0x80 ? length : bytes.subarray(2, headBytes).reduce((sum, byte) => sum * 0x100 + byte, 0)
  const [integer, one, version = 2] = bytes.subarray(headBytes)
  return tag === 0x30 && said === bytes.length - headBytes && integer === 0x02 && one === 1 && version <= 1
}

/** As everything else that reads such keys has it: UTF-8, unnormalised. */
function encodePassphrase(passphrase: string): Uint8Array {
  if (typeof passphrase !== 'string') throw new TypeError('passphrase must be a string')
  if (!passphrase.isWellFormed()) throw new CryptoError('VALUE_REFUSED', 'the passphrase holds a lone surrogate')
  return new TextEncoder().encode(passphrase)
}
