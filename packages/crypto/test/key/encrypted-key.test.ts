import { spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { encodeEncryptedKey, parseEncryptedKey } from '../../src/key/encrypted-key-scheme.js'
import { encryptPrivateKey, generatePrivateKey, parsePrivateKey } from '../../src/key/key.js'
import { formatPem, parsePem } from '../../src/key/pem.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'

const PASSPHRASE = 'correct horse \u{1f40e} bättery'
const key = generatePrivateKey(() => new Uint8Array(32).fill(9))
/** Encrypts a key with node:crypto, with 2,048 iterations to keep the test fast. */
const byNode = (privateKey: KeyObject, passphrase = PASSPHRASE, cipher = 'aes-256-cbc') =>
  privateKey.export({ format: 'pem', type: 'pkcs8', cipher, passphrase }).toString()
const encrypted = byNode(createPrivateKey(key.pem))

const openssl = (args: readonly string[], input: string) =>
  spawnSync('openssl', args, { input, encoding: 'utf8', env: { ...process.env, SECRET: PASSPHRASE } })
const noOpenssl = openssl(['version'], '').status !== 0
if (noOpenssl) console.info('skipped: openssl is not here')

describe('encryptPrivateKey', () => {
  const pem = encryptPrivateKey(key, PASSPHRASE)

  test('writes what parsePrivateKey reads, and node too', () => {
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
    expect(parsePrivateKey(pem, PASSPHRASE).pem).toBe(key.pem)
    const opened = createPrivateKey({ key: pem, passphrase: PASSPHRASE })
    expect(opened.export({ format: 'pem', type: 'pkcs8' })).toBe(key.pem)
  })

  test.skipIf(noOpenssl)('writes what OpenSSL reads', () => {
    const { status, stdout } = openssl(['pkey', '-passin', 'env:SECRET'], pem)
    expect({ status, stdout }).toEqual({ status: 0, stdout: key.pem })
  })

  test('takes 600,000 iterations, and another salt and vector each time', () => {
    const [a, b] = [pem, encryptPrivateKey(key, PASSPHRASE)].map((text) => parseEncryptedKey(parsePem(text)))
    expect(a?.derivation).toMatchObject({ kind: 'pbkdf2', iterations: 600_000, digest: 'sha256' })
    expect(a?.cipher).toBe('aes-256-cbc')
    expect(a?.derivation.salt).toHaveLength(16)
    expect(a?.derivation.salt).not.toEqual(b?.derivation.salt)
    expect(a?.iv).not.toEqual(b?.iv)
  })

  test.each([
    ['nothing', '', 'PASSPHRASE_MISSING'],
    ['1,024 bytes', '\u00e4'.repeat(512), 'VALUE_REFUSED'],
    ['half a character', 'a\ud83d', 'VALUE_REFUSED'],
  ])('refuses a passphrase of %s', (_, passphrase, code) => {
    expect(codeOf(() => encryptPrivateKey(key, passphrase))).toBe(code)
  })

  test('refuses what is no passphrase, and what is no key', () => {
    for (const passphrase of [undefined, null, 7, Buffer.from('x')]) {
      // Callers in plain JavaScript may pass any value.
      expect(() => encryptPrivateKey(key, passphrase as unknown as string)).toThrow(TypeError)
    }
    const other = { publicKey: key.publicKey, pem: key.publicKey.pem }
    expect(codeOf(() => encryptPrivateKey(other, PASSPHRASE))).toBe('KEY_WRONG_TYPE')
  })
})

describe('parsePrivateKey', () => {
  test('reads what node writes', () => {
    expect(parsePrivateKey(encrypted, PASSPHRASE).publicKey).toEqual(key.publicKey)
    for (const cipher of ['aes-128-cbc', 'aes-192-cbc', 'des-ede3-cbc']) {
      expect(parsePrivateKey(byNode(createPrivateKey(key.pem), 'x', cipher), 'x').pem).toBe(key.pem)
    }
  })

  test('reads one that is encrypted with an empty passphrase, as long as it is given', () => {
    const pem = byNode(createPrivateKey(key.pem), '')
    expect(parsePrivateKey(pem, '').pem).toBe(key.pem)
    expect(codeOf(() => parsePrivateKey(pem))).toBe('PASSPHRASE_MISSING')
  })

  test
    .skipIf(noOpenssl)
    .each([
      [[]],
      [['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '1000']],
      [['-v2', 'des3', '-v2prf', 'hmacWithSHA1']],
      [['-scrypt']],
      [['-scrypt', '-scrypt_N', '32768', '-scrypt_r', '4', '-scrypt_p', '2']],
    ])('reads what OpenSSL writes with %j', (options) => {
    const { stdout } = openssl(['pkcs8', '-topk8', '-passout', 'env:SECRET', ...options], key.pem)
    expect(stdout).toContain('ENCRYPTED')
    expect(parsePrivateKey(stdout, PASSPHRASE).pem).toBe(key.pem)
    expect(codeOf(() => parsePrivateKey(stdout, 'x'))).toBe('PASSPHRASE_WRONG')
  })

  test('does not look at the passphrase of a key that is not encrypted', () => {
    expect(parsePrivateKey(key.pem, PASSPHRASE).pem).toBe(key.pem)
    expect([key.pem].map(parsePrivateKey as (pem: string) => unknown)).toHaveLength(1)
  })

  test('a passphrase that is missing, wrong, or no text', () => {
    expect(codeOf(() => parsePrivateKey(encrypted))).toBe('PASSPHRASE_MISSING')
    expect(cryptoErrorOf(() => parsePrivateKey(encrypted)).hint).toContain('openssl pkey')
    expect(codeOf(() => parsePrivateKey(encrypted, ''))).toBe('PASSPHRASE_WRONG')
    expect(codeOf(() => parsePrivateKey(encrypted, `${PASSPHRASE} `))).toBe('PASSPHRASE_WRONG')
    expect(codeOf(() => parsePrivateKey(encrypted, PASSPHRASE.normalize('NFD')))).toBe('PASSPHRASE_WRONG')
    expect(codeOf(() => parsePrivateKey(encrypted, 'a\udc0e'))).toBe('VALUE_REFUSED')
    // Callers in plain JavaScript may pass any value.
    expect(() => parsePrivateKey(encrypted, 7 as unknown as string)).toThrow(TypeError)
  })

  test('of 2,000 wrong passphrases, which now and then leave a right padding, each is wrong', () => {
    const { iv, ciphertext } = parseEncryptedKey(parsePem(encrypted))
    const salt = new Uint8Array(8)
    const pem = formatPem('ENCRYPTED PRIVATE KEY', encodeEncryptedKey(salt, 1, iv, ciphertext))
    for (let i = 0; i < 2_000; i++) {
      expect(cryptoErrorOf(() => parsePrivateKey(pem, `guess ${i}`)).code).toBe('PASSPHRASE_WRONG')
    }
  })

  test('what is inside is read as strictly as ever', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const ed448 = generateKeyPairSync('ed448')
    expect(codeOf(() => parsePrivateKey(byNode(rsa.privateKey), PASSPHRASE))).toBe('KEY_WRONG_TYPE')
    expect(codeOf(() => parsePrivateKey(byNode(ed448.privateKey), PASSPHRASE))).toBe('KEY_WRONG_TYPE')
  })

  test.each([
    ['two blocks', encrypted + encrypted],
    ['an unencrypted key under the label', key.pem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE')],
    ['other bytes under the label', formatPem('ENCRYPTED PRIVATE KEY', new Uint8Array(200))],
  ])('%s is invalid, passphrase or not', (_, pem) => {
    expect(codeOf(() => parsePrivateKey(pem))).toBe('KEY_INVALID')
    expect(codeOf(() => parsePrivateKey(pem, PASSPHRASE))).toBe('KEY_INVALID')
  })

  test('a byte that is changed ends in our error, or in another key: the cipher does not authenticate', () => {
    const der = parsePem(encrypted)
    const otherKeys: number[] = []
    for (let i = 0; i < der.length; i++) {
      const pem = formatPem(
        'ENCRYPTED PRIVATE KEY',
        der.map((byte, at) => (at === i ? byte ^ 1 : byte)),
      )
      try {
        expect(parsePrivateKey(pem, PASSPHRASE).publicKey.keyId).not.toBe(key.publicKey.keyId)
        otherKeys.push(i)
      } catch (error) {
        expect(['KEY_INVALID', 'KEY_WRONG_TYPE', 'PASSPHRASE_WRONG']).toContain((error as { code?: string }).code)
      }
    }
    // A flip in the second of four blocks changes only half of the seed, and leaves the format valid.
    const start = der.length - 48
    expect(otherKeys).toEqual(Array.from({ length: 16 }, (_, i) => start + i))
  })
})

test('neither the passphrase nor the key is shown by an error', () => {
  const calls = [
    () => parsePrivateKey(encrypted, 'hunter2-wrong'),
    () => parsePrivateKey(encrypted, 'hunter2\ud83d'),
    () => encryptPrivateKey(key, 'hunter2'.repeat(200)),
    () => parsePrivateKey(byNode(generateKeyPairSync('x448').privateKey, 'hunter2'), 'hunter2'),
  ]
  for (const call of calls) {
    const error = cryptoErrorOf(call)
    // The stack quotes lines of this file, which contain the passphrase. No other part of the error may contain it.
    const shown = `${inspect({ ...error }, { depth: null })} ${error.message} ${error.hint}`
    expect(shown).not.toMatch(/hunter|MIG|MC4C/)
  }
})
