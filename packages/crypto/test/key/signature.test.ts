import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Point, utils } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { decodeBase64 } from '../../src/bytes/base64.js'
import { concatBytes } from '../../src/bytes/bytes.js'
import { bytesToHex, hexToBytes } from '../../src/bytes/hash.js'
import { generatePrivateKey, type PublicKey, parsePublicKey, seedOf } from '../../src/key/key.js'
import { createSigner, createVerifier, type SignatureProvider, type Verifier } from '../../src/key/signature.js'
import { NON_CANONICAL_SMALL_ORDER_POINTS, SMALL_ORDER_POINTS, TORSION } from '../fixtures/curve-points.js'
import { codeOf } from '../fixtures/errors.js'
import { sharedVectors } from '../fixtures/vectors.js'

const PROVIDERS: readonly SignatureProvider[] = ['node', 'noble']
const ORDER = Point.CURVE().n

const key = generatePrivateKey(() => new Uint8Array(32).fill(7))
const message = new TextEncoder().encode('a'.repeat(64))

const verifiersOf = new Map<PublicKey, readonly Verifier[]>()

/** Returns the verdict of all providers. Fails if their verdicts differ. */
function verdict(publicKey: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const verifiers = verifiersOf.get(publicKey) ?? PROVIDERS.map((provider) => createVerifier(publicKey, provider))
  verifiersOf.set(publicKey, verifiers)
  const verdicts = verifiers.map((verifier) => verifier.verify(message, signature))
  expect(new Set(verdicts).size).toBe(1)
  return verdicts[0] ?? false
}

describe.each(PROVIDERS)('%s', (provider) => {
  // RFC 8032 section 7.1, tests 1 to 3.
  test.each([
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('signs as RFC 8032 does (%#)', (seed, message, signature) => {
    const signer = createSigner(
      generatePrivateKey(() => hexToBytes(seed)),
      provider,
    )
    const signed = signer.sign(hexToBytes(message))
    expect(bytesToHex(signed)).toBe(signature)
    expect(Object.getPrototypeOf(signed)).toBe(Uint8Array.prototype)
    expect(verdict(signer.publicKey, hexToBytes(message), signed)).toBe(true)
  })

  test('refuses to sign what is not bytes', () => {
    const signer = createSigner(key, provider)
    for (const value of ['text', null, undefined, [1], new Uint16Array(2)]) {
      // Callers in plain JavaScript may pass any value.
      expect(() => signer.sign(value as unknown as Uint8Array)).toThrow(TypeError)
    }
  })

  test('verify never throws', () => {
    const verifier = createVerifier(key.publicKey, provider)
    const signature = createSigner(key).sign(message)
    // node:crypto alone would accept a string or a Uint16Array with the same content.
    const same = ['a'.repeat(64), new Uint16Array(message.slice().buffer)]
    const odd = [
      ...same,
      'text',
      null,
      undefined,
      7,
      [1],
      {},
      new Uint16Array(32),
      new ArrayBuffer(64),
      new Uint8Array(0),
    ]
    for (const value of odd) {
      expect(verifier.verify(value as unknown as Uint8Array, signature)).toBe(false)
      expect(verifier.verify(message, value as unknown as Uint8Array)).toBe(false)
    }
    expect(verifier.verify(message, signature)).toBe(true)
    expect(verifier.verify(Buffer.from(message), Buffer.from(signature))).toBe(true)
  })

  test('shows no secret', () => {
    const signer = createSigner(key, provider)
    expect(JSON.stringify(signer)).not.toContain('PRIVATE')
    expect(Object.keys(signer).sort()).toEqual(['keyId', 'publicKey', 'sign'])
    expect(Object.isFrozen(signer) && Object.isFrozen(createVerifier(key.publicKey, provider))).toBe(true)
  })
})

interface Wycheproof {
  testGroups: readonly {
    publicKeyPem: string
    tests: readonly { tcId: number; msg: string; sig: string; result: 'valid' | 'invalid' }[]
  }[]
}

const wycheproof = sharedVectors('wycheproof')
describe.skipIf(wycheproof === null)('Wycheproof (../shared/vectors/wycheproof)', () => {
  test('every test has its result on every provider', () => {
    const { testGroups } = JSON.parse(readFileSync(`${wycheproof}ed25519_test.json`, 'utf8')) as Wycheproof
    const counts = { valid: 0, invalid: 0 }
    for (const { publicKeyPem, tests } of testGroups) {
      const publicKey = parsePublicKey(publicKeyPem)
      for (const { tcId, msg, sig, result } of tests) {
        counts[result]++
        const actual = verdict(publicKey, hexToBytes(msg), hexToBytes(sig)) ? 'valid' : 'invalid'
        expect({ tcId, result: actual }).toEqual({ tcId, result })
      }
    }
    expect(counts).toEqual({ valid: 88, invalid: 63 })
  })
})

const python = sharedVectors('python-v2')
describe.skipIf(python === null)('a ledger signed by SudoAgent for Python (../shared/vectors/python-v2)', () => {
  test('every entry verifies, and none once its hash is changed', () => {
    const publicKey = parsePublicKey(readFileSync(`${python}signed.jsonl.pub.pem`, 'utf8'))
    const lines = readFileSync(`${python}signed.jsonl`, 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(30)
    for (const line of lines) {
      const entry = JSON.parse(line) as { entry_hash: string; entry_signature: string }
      const signature = decodeBase64(entry.entry_signature) ?? new Uint8Array(0)
      const hash = new TextEncoder().encode(entry.entry_hash)
      expect(verdict(publicKey, hash, signature)).toBe(true)
      expect(verdict(publicKey, hash.reverse(), signature)).toBe(false)
    }
  })
})

/** Signs with a chosen R and the matching S. The owner of a key could do this to make verifiers disagree. */
function signWith(r: bigint, bend: (point: Point) => Uint8Array): Uint8Array {
  const { scalar, pointBytes } = utils.getExtendedPublicKey(seedOf(key))
  const R = bend(r === 0n ? Point.ZERO : Point.BASE.multiply(r))
  const k = littleEndian(sha512(concatBytes(R, pointBytes, message))) % ORDER
  return concatBytes(R, toBytes((r + k * scalar) % ORDER))
}

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`)
const toBytes = (n: bigint): Uint8Array => hexToBytes(n.toString(16).padStart(64, '0')).reverse()

describe('constructed signatures get one verdict', () => {
  test('an honest one built the same way is valid', () => {
    expect(
      verdict(
        key.publicKey,
        message,
        signWith(12345n, (R) => R.toBytes()),
      ),
    ).toBe(true)
  })

  test('R of mixed order, which a cofactored verifier would take', () => {
    let factor = TORSION
    for (let i = 1; i < 8; i++) {
      const signature = signWith(12345n, (R) => R.add(factor).toBytes())
      expect(verdict(key.publicKey, message, signature)).toBe(false)
      factor = factor.add(TORSION)
    }
  })

  test('R of small order, in every encoding', () => {
    for (const point of [...SMALL_ORDER_POINTS, ...NON_CANONICAL_SMALL_ORDER_POINTS]) {
      expect(
        verdict(
          key.publicKey,
          message,
          signWith(0n, () => point),
        ),
      ).toBe(false)
    }
  })

  test('S plus the group order, once and as often as it fits', () => {
    const signature = createSigner(key).sign(message)
    const s = littleEndian(signature.subarray(32))
    for (let bent = s + ORDER; bent < 2n ** 256n; bent += ORDER) {
      expect(verdict(key.publicKey, message, concatBytes(signature.subarray(0, 32), toBytes(bent)))).toBe(false)
    }
  })

  test('high bits of S', () => {
    for (const bits of [0x20, 0x40, 0x80, 0xe0]) {
      const signature = createSigner(key).sign(message)
      signature[63] = (signature[63] ?? 0) | bits
      expect(verdict(key.publicKey, message, signature)).toBe(false)
    }
  })

  test('the sign of R', () => {
    const signature = createSigner(key).sign(message)
    signature[31] = (signature[31] ?? 0) ^ 0x80
    expect(verdict(key.publicKey, message, signature)).toBe(false)
  })

  test('lengths other than 64', () => {
    const signature = createSigner(key).sign(message)
    for (const length of [0, 1, 32, 63, 65, 128]) {
      const bent = new Uint8Array(length)
      bent.set(signature.subarray(0, length))
      expect(verdict(key.publicKey, message, bent)).toBe(false)
    }
  })

  test('another key, another message', () => {
    const signature = createSigner(key).sign(message)
    expect(verdict(generatePrivateKey().publicKey, message, signature)).toBe(false)
    expect(verdict(key.publicKey, message.subarray(1), signature)).toBe(false)
    expect(verdict(key.publicKey, new Uint8Array(0), signature)).toBe(false)
  })
})

test('the providers agree on keys, signatures and messages changed at random', () => {
  const { publicKey } = key
  const signers = PROVIDERS.map((provider) => createSigner(key, provider))
  const verifiers = PROVIDERS.map((provider) => createVerifier(publicKey, provider))
  const flip = (bytes: Uint8Array, at: number, mask: number): Uint8Array =>
    bytes.map((byte, i) => (i === at % bytes.length ? byte ^ mask : byte))
  const verdicts = { true: 0, false: 0 }
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.array(fc.tuple(fc.nat({ max: 63 }), fc.integer({ min: 0, max: 255 })), { maxLength: 2 }),
      fc.boolean(),
      (message, flips, inMessage) => {
        const [signature = new Uint8Array(0), other] = signers.map((signer) => signer.sign(message))
        expect(other).toEqual(signature)
        const bent = flips.reduce((bytes, [at, mask]) => flip(bytes, at, mask), inMessage ? message : signature)
        const unchanged = bytesToHex(bent) === bytesToHex(inMessage ? message : signature)
        for (const verifier of verifiers) {
          expect(inMessage ? verifier.verify(bent, signature) : verifier.verify(message, bent)).toBe(unchanged)
        }
        verdicts[`${unchanged}`]++
      },
    ),
    { numRuns: byTier({ short: 300, long: 1_200 }) },
  )
  expect(verdicts.true).toBeGreaterThan(byTier({ short: 10, long: 50 }))
  expect(verdicts.false).toBeGreaterThan(byTier({ short: 100, long: 500 }))
})

test('random bytes are no signature', () => {
  for (let i = 0; i < 200; i++) expect(verdict(key.publicKey, message, randomBytes(64))).toBe(false)
})

describe('createVerifier', () => {
  test('takes a copy of a key, as another thread receives it', () => {
    const signature = createSigner(key).sign(message)
    const { publicKey } = key
    expect(verdict(structuredClone(publicKey), message, signature)).toBe(true)
  })

  test('is not moved by later changes to the bytes of the key', () => {
    const copy = structuredClone(key.publicKey)
    const verifiers = PROVIDERS.map((provider) => createVerifier(copy, provider))
    copy.bytes.fill(0)
    const signature = createSigner(key).sign(message)
    for (const verifier of verifiers) expect(verifier.verify(message, signature)).toBe(true)
    expect(codeOf(() => createVerifier(copy))).toBe('KEY_INVALID')
  })

  test('refuses fields that contradict one another, and keys that were never checked', () => {
    const other = generatePrivateKey().publicKey
    expect(codeOf(() => createVerifier({ ...key.publicKey, bytes: other.bytes }))).toBe('KEY_INVALID')
    expect(codeOf(() => createVerifier({ ...key.publicKey, keyId: other.keyId }))).toBe('KEY_INVALID')
    expect(codeOf(() => createVerifier({ ...key.publicKey, pem: other.pem }))).toBe('KEY_INVALID')
    expect(codeOf(() => createVerifier({ ...key.publicKey, pem: '' }))).toBe('KEY_INVALID')
  })
})

test.each([createSigner.bind(null, key), createVerifier.bind(null, key.publicKey)])(
  'an unknown provider is a TypeError (%#)',
  (create) => {
    // Callers in plain JavaScript may pass any value.
    expect(() => create('openssl' as SignatureProvider)).toThrow(TypeError)
  },
)
