import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { Point } from '@noble/ed25519'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/bytes/bytes.js'
import { bytesToHex, hexToBytes, sha256Hex } from '../../src/bytes/hash.js'
import { generatePrivateKey, type PrivateKey, parsePrivateKey, parsePublicKey, seedOf } from '../../src/key/key.js'
import { formatPem } from '../../src/key/pem.js'
import { NON_CANONICAL_SMALL_ORDER_POINTS, SMALL_ORDER_POINTS, TORSION } from '../fixtures/curve-points.js'
import { codeOf, cryptoErrorOf } from '../fixtures/errors.js'

// RFC 8032 section 7.1, test 1.
const SEED = hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const PUBLIC = hexToBytes('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')

const spkiPem = (bytes: Uint8Array): string =>
  formatPem('PUBLIC KEY', concatBytes(hexToBytes('302a300506032b6570032100'), bytes))
const pkcs8Pem = (hex: string): string => formatPem('PRIVATE KEY', hexToBytes(hex))
const V1 = `302e020100300506032b657004220420${bytesToHex(SEED)}`
const V2 = `3051020101300506032b657004220420${bytesToHex(SEED)}812100${bytesToHex(PUBLIC)}`

describe('parsePublicKey', () => {
  test('reads bytes, key id and its own PEM', () => {
    const key = parsePublicKey(spkiPem(PUBLIC))
    expect(key.bytes).toEqual(PUBLIC)
    expect(key.pem).toBe(spkiPem(PUBLIC))
    expect(key.keyId).toBe(sha256Hex(hexToBytes(`302a300506032b6570032100${bytesToHex(PUBLIC)}`)).slice(0, 16))
    expect(Object.isFrozen(key)).toBe(true)
  })

  test('agrees with node:crypto', () => {
    for (let i = 0; i < 20; i++) {
      const pem = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString()
      expect(parsePublicKey(pem.replaceAll('\n', '\r\n')).pem).toBe(pem)
    }
  })

  test.each(SMALL_ORDER_POINTS.map((bytes) => [bytesToHex(bytes), bytes] as const))('%s is weak', (_, bytes) => {
    expect(codeOf(() => parsePublicKey(spkiPem(bytes)))).toBe('KEY_WEAK')
  })

  test('a key of mixed order is weak', () => {
    const mixed = Point.fromBytes(PUBLIC).add(TORSION).toBytes()
    expect(codeOf(() => parsePublicKey(spkiPem(mixed)))).toBe('KEY_WEAK')
  })

  test.each<[string, string]>([
    ...NON_CANONICAL_SMALL_ORDER_POINTS.map((bytes): [string, string] => [bytesToHex(bytes), spkiPem(bytes)]),
    ['a y with no x', spkiPem(hexToBytes(`02${'00'.repeat(31)}`))],
    ['31 bytes', spkiPem(PUBLIC.slice(1))],
    ['33 bytes', spkiPem(Uint8Array.from([...PUBLIC, 0]))],
    ['another length byte', formatPem('PUBLIC KEY', hexToBytes(`302b300506032b6570032100${bytesToHex(PUBLIC)}`))],
    ['NULL parameters', formatPem('PUBLIC KEY', hexToBytes(`302c300706032b65700500032100${bytesToHex(PUBLIC)}`))],
    ['unused bits', formatPem('PUBLIC KEY', hexToBytes(`302a300506032b6570032101${bytesToHex(PUBLIC)}`))],
    ['PKCS#8 under the label', formatPem('PUBLIC KEY', hexToBytes(V1))],
    ['raw bytes under the label', formatPem('PUBLIC KEY', PUBLIC)],
    ['two blocks', spkiPem(PUBLIC) + spkiPem(PUBLIC)],
  ])('%s is invalid', (_, pem) => {
    expect(codeOf(() => parsePublicKey(pem))).toBe('KEY_INVALID')
  })
})

describe('parsePrivateKey', () => {
  test('reads PKCS#8 v1 and v2 and writes v1', () => {
    for (const pem of [pkcs8Pem(V1), pkcs8Pem(V2)]) {
      const key = parsePrivateKey(pem)
      expect(key.publicKey).toEqual(parsePublicKey(spkiPem(PUBLIC)))
      expect(key.pem).toBe(pkcs8Pem(V1))
      expect(seedOf(key)).toEqual(SEED)
    }
  })

  test('agrees with node:crypto in both directions', () => {
    for (let i = 0; i < 10; i++) {
      const pair = generateKeyPairSync('ed25519')
      const pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      const key = parsePrivateKey(pem)
      expect(key.pem).toBe(pem)
      expect(key.publicKey.pem).toBe(createPublicKey(createPrivateKey(key.pem)).export({ format: 'pem', type: 'spki' }))
    }
  })

  test.each([
    ['v2 with the public key of another', V2.replace(bytesToHex(PUBLIC), bytesToHex(Point.BASE.toBytes()))],
    ['v2 without a public key', V1.replace('302e020100', '302e020101')],
    ['v1 with a public key', V2.replace('020101', '020100')],
    ['version 3', V1.replace('302e020100', '302e020102')],
    ['a seed of 31 bytes', V1.slice(0, -2)],
    ['a seed of 33 bytes', `${V1}00`],
    ['bytes after the end', `${V2}00`],
    ['another wrapping of the public key', V2.replace('3051', '3053').replace('812100', 'a123032100')],
    ['SPKI under the label', `302a300506032b6570032100${bytesToHex(PUBLIC)}`],
  ])('%s is invalid', (_, hex) => {
    const error = cryptoErrorOf(() => parsePrivateKey(pkcs8Pem(hex)))
    expect(error.code).toBe('KEY_INVALID')
    expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain(bytesToHex(SEED).slice(0, 16))
  })
})

describe('generatePrivateKey', () => {
  test('makes another key each time', () => {
    expect(generatePrivateKey().pem).not.toBe(generatePrivateKey().pem)
  })

  test('takes its bytes from the source it is given, once', () => {
    const asked: number[] = []
    const key = generatePrivateKey((length) => {
      asked.push(length)
      return SEED
    })
    expect(asked).toEqual([32])
    expect(key.publicKey.bytes).toEqual(PUBLIC)
  })

  test.each([
    ['31 bytes', new Uint8Array(31)],
    ['33 bytes', new Uint8Array(33)],
    ['no bytes', 'a'.repeat(32)],
    ['nothing', undefined],
  ])('refuses a source of %s', (_, value) => {
    // Callers in plain JavaScript may pass any value.
    expect(() => generatePrivateKey(() => value as Uint8Array)).toThrow(TypeError)
  })
})

describe('a private key is never shown', () => {
  const key = generatePrivateKey(() => Uint8Array.from(SEED))
  const secrets = [
    bytesToHex(SEED),
    Buffer.from(SEED).toString('base64').slice(0, 40),
    (key.pem.split('\n')[1] ?? 'no body').slice(-40),
    SEED.join(','),
    SEED.slice(0, 8).join(', '),
    'BEGIN PRIVATE KEY',
  ]

  function failParsing(): string {
    const error = cryptoErrorOf(() => parsePrivateKey(key.pem.replace('MC4C', 'MC5C')))
    return inspect(error, { showHidden: true, depth: null }) + JSON.stringify(error)
  }

  const SHOWN: readonly (readonly [string, (key: PrivateKey) => string])[] = [
    ['util.inspect', (key) => inspect(key)],
    ['util.inspect, everything', (key) => inspect(key, { showHidden: true, depth: null, getters: true })],
    ['util.inspect, its own way', (key) => inspect(key, { customInspect: false, showHidden: true, depth: null })],
    ['util.inspect inside an object', (key) => inspect({ key: [key] }, { depth: null })],
    ['JSON.stringify', (key) => JSON.stringify({ key })],
    ['String', (key) => String(key)],
    ['a template', (key) => `${key}`],
    ['Object.entries', (key) => inspect(Object.entries(key), { depth: null })],
    ['a spread', (key) => inspect({ ...key }, { depth: null })],
    ['Object.getOwnPropertyDescriptors', (key) => inspect(Object.getOwnPropertyDescriptors(key), { depth: null })],
    ['structuredClone', (key) => inspect(structuredClone(key), { depth: null, showHidden: true })],
    ['a failure to parse', () => failParsing()],
    ['a failure to parse as a public key', (key) => inspect(cryptoErrorOf(() => parsePublicKey(key.pem)))],
  ]

  test.each(SHOWN)('by %s', (_, show) => {
    const shown = show(key)
    expect(shown.length).toBeGreaterThan(0)
    for (const secret of secrets) expect(shown).not.toContain(secret)
  })

  test('but names its public half', () => {
    expect(String(key)).toBe(`PrivateKey(${key.publicKey.keyId})`)
    expect(JSON.parse(JSON.stringify(key))).toEqual({ keyId: key.publicKey.keyId })
    expect(Object.keys(key)).toEqual(['publicKey'])
  })
})
