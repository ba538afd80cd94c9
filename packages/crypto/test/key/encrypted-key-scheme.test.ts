import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hexToBytes } from '../../src/bytes/hash.js'
import { DER, encodeDer, encodeDerInteger } from '../../src/key/der.js'
import { encodeEncryptedKey, parseEncryptedKey, scryptMemoryBytes } from '../../src/key/encrypted-key-scheme.js'
import { parsePem } from '../../src/key/pem.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'
import { processorTime } from '../fixtures/processor-time.js'

const sequence = (...parts: Uint8Array[]) => encodeDer(DER.sequence, ...parts)
const octets = (length: number) => encodeDer(DER.octets, new Uint8Array(length).fill(7))
const oid = (hex: string) => encodeDer(DER.oid, hexToBytes(hex))
const int = encodeDerInteger
const NULL = encodeDer(DER.null)

const PBKDF2 = oid('2a864886f70d01050c')
const SCRYPT = oid('2b06010401da47040b')
const AES_256_CBC = oid('60864801650304012a')
const SHA256 = sequence(oid('2a864886f70d0209'), NULL)

interface Parts {
  readonly scheme?: Uint8Array
  readonly kdf?: Uint8Array
  readonly encryption?: Uint8Array
  readonly ciphertext?: Uint8Array
}

const pbkdf2 = (...parameters: Uint8Array[]) => sequence(PBKDF2, sequence(octets(8), ...parameters))
const scrypt = (...parameters: number[]) => sequence(SCRYPT, sequence(octets(8), ...parameters.map(int)))
const fileOf = ({
  scheme = oid('2a864886f70d01050d'),
  kdf = pbkdf2(int(2048), SHA256),
  encryption = sequence(AES_256_CBC, octets(16)),
  ciphertext = octets(64),
}: Parts = {}) => sequence(sequence(scheme, sequence(kdf, encryption)), ciphertext)

describe('reads', () => {
  test('what node writes', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
    const key = parseEncryptedKey(parsePem(pem))
    expect(key).toMatchObject({ cipher: 'aes-256-cbc', cipherKeyBytes: 32 })
    expect(key.derivation).toMatchObject({ kind: 'pbkdf2', iterations: 2048, digest: 'sha256' })
  })

  test('what it writes itself', () => {
    const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)
    const [salt, iv, ciphertext] = [bytes(16, 1), bytes(16, 2), bytes(48, 3)] as const
    expect(parseEncryptedKey(encodeEncryptedKey(salt, 600_000, iv, ciphertext))).toEqual({
      derivation: { kind: 'pbkdf2', salt, iterations: 600_000, digest: 'sha256' },
      cipher: 'aes-256-cbc',
      cipherKeyBytes: 32,
      iv,
      ciphertext,
    })
  })

  test.each([
    ['no function: SHA-1', pbkdf2(int(1)), { kind: 'pbkdf2', iterations: 1, digest: 'sha1' }],
    ['the bytes of the key', pbkdf2(int(1), int(32), SHA256), { digest: 'sha256' }],
    ['a function without NULL', pbkdf2(int(1), sequence(oid('2a864886f70d020b'))), { digest: 'sha512' }],
    ['the most iterations', pbkdf2(int(10_000_000), SHA256), { iterations: 10_000_000 }],
    ['scrypt as OpenSSL has it', scrypt(16_384, 8, 1), { kind: 'scrypt', N: 16_384, r: 8, p: 1 }],
    ['scrypt with the bytes of the key', scrypt(16_384, 8, 1, 32), { N: 16_384 }],
    ['the most work of scrypt', scrypt(2 ** 17, 8, 16), { p: 16 }],
  ])('%s', (_, kdf, derivation) => {
    expect(parseEncryptedKey(fileOf({ kdf })).derivation).toMatchObject(derivation)
  })

  test.each([
    ['aes-128-cbc', '608648016503040102', 16],
    ['aes-192-cbc', '608648016503040116', 16],
    ['des-ede3-cbc', '2a864886f70d0307', 8],
  ])('%s', (cipher, hex, ivBytes) => {
    const encryption = sequence(oid(hex), octets(ivBytes))
    expect(parseEncryptedKey(fileOf({ encryption })).cipher).toBe(cipher)
  })
})

test.each([
  ['one iteration too many', pbkdf2(int(10_000_001), SHA256)],
  ['2^48 iterations', pbkdf2(int(2 ** 48), SHA256)],
  ['more iterations than a number can tell', pbkdf2(encodeDer(DER.integer, new Uint8Array(900).fill(0x7f)), SHA256)],
  ['twice the work of scrypt', scrypt(2 ** 17, 8, 32)],
  ['too much memory by N', scrypt(2 ** 21, 1, 1)],
  ['too much memory by r', scrypt(2, 2 ** 20, 1)],
  ['too much memory by p', scrypt(2, 1, 2 ** 22)],
  ['numbers whose product overflows', scrypt(2 ** 47, 2 ** 47, 2 ** 47)],
])('%s: refused before anything is derived', (_, kdf) => {
  const took = processorTime()
  const error = cryptoErrorOf(() => parseEncryptedKey(fileOf({ kdf })))
  expect(error.code).toBe('KEY_INVALID')
  expect(error.message).toContain('needs more than')
  expect(error.hint).toContain('openssl pkcs8 -topk8')
  expect(took()).toBeLessThan(1_000)
})

test('what scrypt may take fits into the limit of memory', () => {
  expect(scryptMemoryBytes(16_384, 8, 1)).toBeLessThan(32 * 1024 * 1024)
  expect(scryptMemoryBytes(2 ** 17, 8, 16)).toBeLessThan(256 * 1024 * 1024)
})

test.each([
  ['PBES1', { scheme: oid('2a864886f70d010503') }],
  ['an unknown key derivation', { kdf: sequence(oid('2b06'), sequence(octets(8), int(1))) }],
  ['an unknown function', { kdf: pbkdf2(int(1), sequence(oid('2b06'), NULL)) }],
  ['an unknown cipher', { encryption: sequence(oid('2b06'), octets(16)) }],
])('%s is the wrong type, with a hint', (_, parts: Parts) => {
  const error = cryptoErrorOf(() => parseEncryptedKey(fileOf(parts)))
  expect(error.code).toBe('KEY_WRONG_TYPE')
  expect(error.hint).toContain('openssl pkcs8 -topk8')
})

describe('refuses', () => {
  test.each<[string, Parts]>([
    ['no iteration', { kdf: pbkdf2(int(0), SHA256) }],
    ['another length of the key', { kdf: pbkdf2(int(1), int(16), SHA256) }],
    ['something behind the parameters', { kdf: pbkdf2(int(1), SHA256, NULL) }],
    ['a NULL that holds something', { kdf: pbkdf2(int(1), sequence(oid('2a864886f70d0209'), hexToBytes('050100'))) }],
    ['an N that is no power of two', { kdf: scrypt(16_383, 8, 1) }],
    ['an N of one', { kdf: scrypt(1, 8, 1) }],
    ['an N too large for r', { kdf: scrypt(65_536, 1, 1) }],
    ['an r of zero', { kdf: scrypt(16_384, 0, 1) }],
    ['a p of zero', { kdf: scrypt(16_384, 8, 0) }],
    ['scrypt for another length of the key', { kdf: scrypt(16_384, 8, 1, 16) }],
    ['a short initialisation vector', { encryption: sequence(AES_256_CBC, octets(15)) }],
    ['something behind it', { encryption: sequence(AES_256_CBC, octets(16), NULL) }],
    ['no ciphertext', { ciphertext: octets(0) }],
    ['part of a block', { ciphertext: octets(63) }],
  ])('%s', (_, parts) => {
    expect(codeOf(() => parseEncryptedKey(fileOf(parts)))).toBe('KEY_INVALID')
  })

  test('every cut, and every byte too many', () => {
    const file = fileOf()
    for (let length = 0; length < file.length; length++) {
      expect(codeOf(() => parseEncryptedKey(file.subarray(0, length)))).toBe('KEY_INVALID')
    }
    expect(codeOf(() => parseEncryptedKey(Uint8Array.from([...file, 0])))).toBe('KEY_INVALID')
  })
})
