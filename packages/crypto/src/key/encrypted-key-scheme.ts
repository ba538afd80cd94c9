/**
 * The envelope of an encrypted private key: PKCS#8 EncryptedPrivateKeyInfo (RFC 5958) with PKCS#5 PBES2 (RFC 8018).
 *
 *     SEQUENCE
 *       SEQUENCE
 *         OID PBES2
 *         SEQUENCE
 *           SEQUENCE                       derivation of a key from the passphrase
 *             OID PBKDF2
 *             SEQUENCE
 *               OCTET STRING               salt
 *               INTEGER 600000             iterations
 *               INTEGER 32                 length of the key in bytes; optional
 *               SEQUENCE                   optional; default: HMAC-SHA-1
 *                 OID hmacWithSHA256
 *                 NULL
 *           SEQUENCE
 *             OID aes256-CBC
 *             OCTET STRING                 initialisation vector
 *       OCTET STRING                       the encrypted PKCS#8
 *
 * The key derivation may be scrypt (RFC 7914) instead of PBKDF2: the scrypt OID, and a SEQUENCE of salt, N, r, p
 * and optionally the key length.
 *
 * The file states the cost of the derivation, so an attacker can choose that cost. This module therefore enforces
 * limits before the derivation.
 */

import { bytesToHex, hexToBytes } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { DER, DerReader, encodeDer, encodeDerInteger } from './der.js'

/** The parameters of the key derivation. `digest` is the hash name used by node:crypto. */
export type KeyDerivation =
  | { readonly kind: 'pbkdf2'; readonly salt: Uint8Array; readonly iterations: number; readonly digest: string }
  | { readonly kind: 'scrypt'; readonly salt: Uint8Array; readonly N: number; readonly r: number; readonly p: number }

export interface EncryptedKey {
  readonly derivation: KeyDerivation
  /** The cipher name used by node:crypto. */
  readonly cipher: string
  readonly cipherKeyBytes: number
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * The maximum number of PBKDF2 iterations, about five seconds of work. The limit is more than ten times the
 * recommended number and almost five thousand times the OpenSSL default.
 */
const ITERATIONS_MAX = 10_000_000

/**
 * The maximum N·r·p of scrypt, also about five seconds of work: the work is proportional to N·r·p. OpenSSL uses 2^17.
 */
const SCRYPT_WORK_MAX = 2 ** 24

/**
 * The maximum memory of scrypt, which small machines can afford. OpenSSL writes files that need 16 MiB of memory and
 * accepts files that need up to 32 MiB.
 */
const SCRYPT_MEMORY_BYTES_MAX = 256 * 1024 * 1024

const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'
const SCRYPT = '2b06010401da47040b'
const HMAC_SHA256 = '2a864886f70d0209'
const AES_256_CBC = '60864801650304012a'

/** The hash of each PBKDF2 pseudorandom function, by OID. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d0207', 'sha1'],
  ['2a864886f70d0208', 'sha224'],
  [HMAC_SHA256, 'sha256'],
  ['2a864886f70d020a', 'sha384'],
  ['2a864886f70d020b', 'sha512'],
])

interface Cipher {
  readonly oid: string
  readonly name: string
  readonly keyBytes: number
  /** The length of the initialisation vector, which in CBC mode is the block size. */
  readonly blockBytes: number
}

const CIPHERS: readonly Cipher[] = [
  { oid: AES_256_CBC, name: 'aes-256-cbc', keyBytes: 32, blockBytes: 16 },
  { oid: '608648016503040116', name: 'aes-192-cbc', keyBytes: 24, blockBytes: 16 },
  { oid: '608648016503040102', name: 'aes-128-cbc', keyBytes: 16, blockBytes: 16 },
  { oid: '2a864886f70d0307', name: 'des-ede3-cbc', keyBytes: 24, blockBytes: 8 },
]

const ANEW = 're-encrypt the key: openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 600000 -in old.pem -out new.pem'

/**
 * Reads the envelope.
 *
 * @throws CryptoError `KEY_INVALID` if the bytes are not an envelope, or if decryption would exceed the work or
 *   memory limit; `KEY_WRONG_TYPE` if the encryption scheme is not supported
 */
export function parseEncryptedKey(der: Uint8Array): EncryptedKey {
  const file = new DerReader(der)
  const envelope = file.readSequence()
  file.end()
  const algorithm = envelope.readSequence()
  const ciphertext = envelope.read(DER.octets)
  envelope.end()
  if (readOid(algorithm) !== PBES2) throw foreign('a scheme')
  const parameters = algorithm.readSequence()
  algorithm.end()
  const kdf = parameters.readSequence()
  const encryption = parameters.readSequence()
  parameters.end()
  const cipher = readCipher(encryption)
  const iv = encryption.read(DER.octets)
  encryption.end()
  const { blockBytes, keyBytes, name } = cipher
  if (iv.length !== blockBytes || ciphertext.length === 0 || ciphertext.length % blockBytes !== 0) throw invalid()
  return { derivation: readDerivation(kdf, keyBytes), cipher: name, cipherKeyBytes: keyBytes, iv, ciphertext }
}

/**
 * Encodes the envelope of a key encrypted with PBKDF2-HMAC-SHA-256 and AES-256-CBC. The encoding is byte-for-byte
 * identical to that of OpenSSL.
 */
export function encodeEncryptedKey(
  salt: Uint8Array,
  iterations: number,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const sequence = (...parts: readonly Uint8Array[]): Uint8Array => encodeDer(DER.sequence, ...parts)
  const oid = (hex: string): Uint8Array => encodeDer(DER.oid, hexToBytes(hex))
  const prf = sequence(oid(HMAC_SHA256), encodeDer(DER.null))
  const parameters = sequence(encodeDer(DER.octets, salt), encodeDerInteger(iterations), prf)
  const kdf = sequence(oid(PBKDF2), parameters)
  const encryption = sequence(oid(AES_256_CBC), encodeDer(DER.octets, iv))
  return sequence(sequence(oid(PBES2), sequence(kdf, encryption)), encodeDer(DER.octets, ciphertext))
}

function readCipher(encryption: DerReader): Cipher {
  const oid = readOid(encryption)
  const cipher = CIPHERS.find((candidate) => candidate.oid === oid)
  if (cipher === undefined) throw foreign('a cipher')
  return cipher
}

function readDerivation(kdf: DerReader, keyBytes: number): KeyDerivation {
  const oid = readOid(kdf)
  if (oid !== PBKDF2 && oid !== SCRYPT) throw foreign('a key derivation')
  const parameters = kdf.readSequence()
  kdf.end()
  const derivation = oid === PBKDF2 ? readPbkdf2(parameters, keyBytes) : readScrypt(parameters, keyBytes)
  parameters.end()
  return derivation
}

function readPbkdf2(parameters: DerReader, keyBytes: number): KeyDerivation {
  const salt = parameters.read(DER.octets)
  const iterations = parameters.readInteger()
  if (iterations < 1) throw invalid()
  if (iterations > ITERATIONS_MAX) throw tooMuch(`more than ${ITERATIONS_MAX} PBKDF2 iterations`)
  readKeyBytes(parameters, keyBytes)
  return { kind: 'pbkdf2', salt, iterations, digest: readDigest(parameters) }
}

function readDigest(parameters: DerReader): string {
  if (!parameters.isNext(DER.sequence)) return 'sha1'
  const prf = parameters.readSequence()
  const digest = DIGESTS.get(readOid(prf))
  // RFC 8018 requires NULL here, but some writers omit it.
  if (prf.isNext(DER.null) && prf.read(DER.null).length > 0) throw invalid()
  prf.end()
  if (digest === undefined) throw foreign('a hash')
  return digest
}

function readScrypt(parameters: DerReader, keyBytes: number): KeyDerivation {
  const salt = parameters.read(DER.octets)
  const [N, r, p] = [parameters.readInteger(), parameters.readInteger(), parameters.readInteger()]
  readKeyBytes(parameters, keyBytes)
  if (N < 2 || r < 1 || p < 1) throw invalid()
  if (N * r * p > SCRYPT_WORK_MAX) throw tooMuch(`more than ${SCRYPT_WORK_MAX} scrypt blocks`)
  if (scryptMemoryBytes(N, r, p) > SCRYPT_MEMORY_BYTES_MAX) {
    throw tooMuch(`more than ${SCRYPT_MEMORY_BYTES_MAX / 1024 / 1024} MiB of memory`)
  }
  // RFC 7914 section 2: N is a power of two below 2^(16·r).
  if (!Number.isInteger(Math.log2(N)) || Math.log2(N) >= 16 * r) throw invalid()
  return { kind: 'scrypt', salt, N, r, p }
}

/** Returns the peak memory of scrypt as computed by OpenSSL. */
export function scryptMemoryBytes(N: number, r: number, p: number): number {
  return 128 * r * (N + p + 2)
}

/** If a key length is stated, requires that it equals the key length of the cipher. */
function readKeyBytes(parameters: DerReader, keyBytes: number): void {
  if (parameters.isNext(DER.integer) && parameters.readInteger() !== keyBytes) throw invalid()
}

const readOid = (reader: DerReader): string => bytesToHex(reader.read(DER.oid))

const invalid = (): CryptoError => new CryptoError('KEY_INVALID', 'the encrypted private key is damaged')

const tooMuch = (what: string): CryptoError =>
  new CryptoError('KEY_INVALID', `the encrypted private key needs ${what}`, ANEW)

const foreign = (what: string): CryptoError =>
  new CryptoError('KEY_WRONG_TYPE', `the private key is encrypted with ${what} that is not supported`, ANEW)
