import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parsePrivateKey, parsePublicKey } from '../../src/key/key.js'
import { requireLabel, wrongAlgorithm } from '../../src/key/key-kind.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed25519 = generateKeyPairSync('ed25519')
const publicPem = (pair: typeof rsa, type: 'spki' | 'pkcs1' = 'spki') =>
  pair.publicKey.export({ format: 'pem', type }).toString()
const privatePem = (pair: typeof rsa) => pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const block = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
const encrypted = ed25519.privateKey
  .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()

test.each([
  ['PUBLIC KEY', publicPem(ed25519)],
  ['PRIVATE KEY', privatePem(ed25519)],
] as const)('requireLabel takes a %s', (label, pem) => {
  expect(() => requireLabel(pem, label)).not.toThrow()
})

describe('where a public key is needed', () => {
  test.each([
    ['a private key', privatePem(ed25519), 'a private key was given where a public key is needed'],
    ['an RSA key', publicPem(rsa), 'an RSA public key was given where an Ed25519 public key is needed'],
    ['an RSA key in its own form', publicPem(rsa, 'pkcs1'), 'an RSA public key was given'],
    ['an EC key', publicPem(ec), 'an EC public key was given'],
    ['an X25519 key', publicPem(generateKeyPairSync('x25519')), 'an X25519 public key was given'],
    ['an Ed448 key', publicPem(generateKeyPairSync('ed448')), 'an Ed448 public key was given'],
    ['a certificate', block('CERTIFICATE'), 'a certificate was given'],
    ['an encrypted private key', encrypted, 'an encrypted private key was given'],
    ['an OpenSSH private key', block('OPENSSH PRIVATE KEY'), 'a private key in OpenSSH format was given'],
    ['an OpenSSH public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n', 'a public key in OpenSSH format was given'],
    ['an OpenSSH EC key', 'ecdsa-sha2-nistp256 AAAA', 'a public key in OpenSSH format was given'],
    ['a security key', 'sk-ssh-ed25519@openssh.com AAAA', 'a public key in OpenSSH format was given'],
  ])('%s is the wrong type', (_, pem, message) => {
    const error = cryptoErrorOf(() => parsePublicKey(pem))
    expect(error.code).toBe('KEY_WRONG_TYPE')
    expect(error.message).toContain(message)
    expect(error.hint).toContain('openssl pkey')
  })
})

describe('where a private key is needed', () => {
  test.each([
    ['a public key', publicPem(ed25519), 'a public key was given where a private key is needed'],
    ['an RSA key', privatePem(rsa), 'an RSA private key was given where an Ed25519 private key is needed'],
    ['an EC key', privatePem(ec), 'an EC private key was given'],
    [
      'an EC key in its own form',
      ec.privateKey.export({ format: 'pem', type: 'sec1' }).toString(),
      'an EC private key',
    ],
    ['an X25519 key', privatePem(generateKeyPairSync('x25519')), 'an X25519 private key was given'],
    ['an OpenSSH key', block('OPENSSH PRIVATE KEY'), 'a private key in OpenSSH format was given'],
    ['a certificate', block('CERTIFICATE'), 'a certificate was given'],
  ])('%s is the wrong type', (_, pem, message) => {
    const error = cryptoErrorOf(() => parsePrivateKey(pem))
    expect(error.code).toBe('KEY_WRONG_TYPE')
    expect(error.message).toContain(message)
    expect(error.hint).toContain('openssl ')
  })
})

test.each([['', 'hello', block('FLOWER'), '{"kty":"OKP"}', undefined, null, 7, Buffer.from(publicPem(ed25519))]])(
  'what is no key is KEY_INVALID',
  (...texts) => {
    for (const text of texts) {
      // Callers in plain JavaScript may pass any value.
      expect(codeOf(() => parsePublicKey(text as string))).toBe('KEY_INVALID')
      expect(codeOf(() => parsePrivateKey(text as string))).toBe('KEY_INVALID')
    }
  },
)

test('DER of no known algorithm is KEY_INVALID', () => {
  expect(wrongAlgorithm(new Uint8Array(44), 'public').code).toBe('KEY_INVALID')
  expect(wrongAlgorithm(new Uint8Array(0), 'private').code).toBe('KEY_INVALID')
})
