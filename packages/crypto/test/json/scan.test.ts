import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CryptoError } from '../../src/error.js'
import { encodeCanonical } from '../../src/json/encode.js'
import { parseJson, scanJson } from '../../src/json/scan.js'
import type { ScannedJson } from '../../src/json/scanner.js'
import { anyJson, nearlyJson, pythonNumber, replaceAt } from '../fixtures/arbitraries.js'
import { codeOf } from '../fixtures/errors.js'
import { depthOf, exactJson, hasDuplicateKey, hasLoneSurrogate } from '../fixtures/exact-json.js'
import { readVectors, sharedVectors } from '../fixtures/vectors.js'

interface Accepted {
  name: string
  text: string
  profile: string
}
interface Rejected {
  name: string
  text: string
  code: 'JSON_INVALID' | 'NOT_CANONICAL'
  at?: number
}

describe('vectors/canonical-json', () => {
  const accepted = readVectors<Accepted>('canonical-json/accept.json')
  const rejected = readVectors<Rejected>('canonical-json/reject.json')

  test.each(accepted)('accept: $name', ({ text, profile }) => {
    expect(scanJson(text)).toMatchObject({ canonical: true, profile, reason: null })
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  test.each(rejected)('reject: $name', ({ text, code, at }) => {
    if (code === 'JSON_INVALID') {
      expect(codeOf(() => scanJson(text))).toBe(code)
      expect(codeOf(() => parseJson(text))).toBe(code)
      return
    }
    const { canonical, profile, reason } = scanJson(text)
    expect({ canonical, profile }).toEqual({ canonical: false, profile: null })
    expect(reason).toMatch(new RegExp(` at offset ${at}(?:, after text that only|$)`))
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  test('both kinds of rejection are there', () => {
    expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['JSON_INVALID', 'NOT_CANONICAL']))
    expect(new Set(accepted.map(({ profile }) => profile))).toEqual(new Set(['rfc8785', 'python']))
  })
})

const jcs = sharedVectors('jcs')
describe.skipIf(jcs === null)('RFC 8785 test data (../shared/vectors/jcs)', () => {
  // RFC 8785 does not normalise. These two files contain text that is not in NFC.
  const notNfc = ['unicode.json', 'weird.json']
  test.each(jcs === null ? ['none'] : readdirSync(join(jcs, 'output')))('%s', (name) => {
    const scanned = scanJson(readFileSync(join(jcs ?? '', 'output', name), 'utf8'))
    expect(scanned.canonical).toBe(!notNfc.includes(name))
    if (notNfc.includes(name)) expect(scanned.reason).toContain('normalisation form C')
  })
})

const python = sharedVectors('python-v2')
describe.skipIf(python === null)('ledgers written by SudoAgent for Python (../shared/vectors/python-v2)', () => {
  const profilesOf = (name: string): Set<ScannedJson['profile']> => {
    const lines = readFileSync(join(python ?? '', name), 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines.length).toBeGreaterThan(30)
    return new Set(
      lines.map((line) => {
        const { profile, members } = scanJson(line)
        const entry = JSON.parse(line) as Record<string, unknown>
        expect([...members.keys()]).toEqual(Object.keys(entry))
        for (const [key, [start, end]] of members) expect(JSON.parse(line.slice(start, end))).toEqual(entry[key])
        return profile
      }),
    )
  }

  test.each(['plain.jsonl', 'signed.jsonl'])('%s is RFC 8785', (name) => {
    expect(profilesOf(name)).toEqual(new Set(['rfc8785']))
  })

  test('exotic-numbers-and-keys.jsonl is canonical, some of it by the python profile only', () => {
    expect(profilesOf('exotic-numbers-and-keys.jsonl')).toEqual(new Set(['rfc8785', 'python']))
  })
})

describe('maxDepth', () => {
  test('lowers the limit', () => {
    expect(scanJson('[[1]]', 2).canonical).toBe(true)
    expect(codeOf(() => scanJson('[[1]]', 1))).toBe('JSON_INVALID')
    expect(codeOf(() => parseJson('[{"a":{}}]', 2))).toBe('JSON_INVALID')
    expect(scanJson('[{"a":[]},[[]]]', 3).canonical).toBe(true)
    expect(scanJson('1', 0).canonical).toBe(true)
    expect(codeOf(() => scanJson('[]', 0))).toBe('JSON_INVALID')
  })

  test.each([129, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be %d', (maxDepth) => {
    expect(() => scanJson('1', maxDepth)).toThrow(RangeError)
    expect(() => parseJson('1', maxDepth)).toThrow(RangeError)
  })
})

const canonicalText = fc.oneof(
  anyJson.map(encodeOrNull).filter((text) => text !== null),
  fc.array(pythonNumber, { maxLength: 4 }).map((numbers) => `{"n":[${numbers.join(',')}]}`),
)

/** Returns null if the value has keys that are equal after normalisation, or a number beyond the range of a double. */
function encodeOrNull(value: unknown): string | null {
  return unlessCode('VALUE_REFUSED', () => encodeCanonical(value))
}

function scanOrNull(text: string): ScannedJson | null {
  return unlessCode('JSON_INVALID', () => scanJson(text))
}

function unlessCode<T>(code: string, call: () => T): T | null {
  try {
    return call()
  } catch (error) {
    if (error instanceof CryptoError && error.code === code) return null
    throw error
  }
}

test('what encodeCanonical writes scans as canonical RFC 8785, and reads back as itself', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const text = encodeOrNull(value)
      fc.pre(text !== null)
      expect(scanJson(text)).toMatchObject({ canonical: true, profile: 'rfc8785', reason: null })
      expect(encodeCanonical(parseJson(text))).toBe(text)
      expect(exactJson(text)).toEqual(exactJson(JSON.stringify(JSON.parse(text))))
    }),
    { numRuns: 2000 },
  )
})

test('what Python writes scans as canonical', () => {
  fc.assert(
    fc.property(pythonNumber, (number) => {
      expect(scanJson(number).canonical).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('no change of one character gives another canonical text of the same value', () => {
  const char = fc.constantFrom(...'{}[]":,\\/u0123456789abeEftn+-. \t\u0301\ue000', '\ud800')
  const place = fc.nat({ max: 1000 })
  const change = fc.tuple(place, fc.nat({ max: 1 }), fc.option(char, { nil: '' }))
  let canonicalMutants = 0
  fc.assert(
    fc.property(canonicalText, fc.array(change, { minLength: 20, maxLength: 20 }), (text, changes) => {
      expect(scanJson(text).canonical).toBe(true)
      for (const [at, remove, insert] of changes) {
        const mutant = replaceAt(text, at, remove, insert)
        if (mutant === text || !scanOrNull(mutant)?.canonical) continue
        canonicalMutants++
        expect(isDeepStrictEqual(exactJson(mutant), exactJson(text))).toBe(false)
      }
    }),
    { numRuns: 1500 },
  )
  expect(canonicalMutants).toBeGreaterThan(100)
})

test('reads what JSON.parse reads, but for duplicate keys, half characters and depth', () => {
  const counts = { read: 0, refused: 0, stricter: 0 }
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const scanned = scanOrNull(text)
      if (!parses(text)) {
        counts.refused++
        expect(scanned).toBeNull()
      } else if (hasDuplicateKey(text) || hasLoneSurrogate(text) || depthOf(text) > 128) {
        counts.stricter++
        expect(scanned).toBeNull()
      } else {
        counts.read++
        expect(scanned).not.toBeNull()
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }
    }),
    { numRuns: 12_000 },
  )
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(300)
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('says rfc8785 of exactly what the canonical encoder would write', () => {
  fc.assert(
    fc.property(fc.oneof(nearlyJson, canonicalText), (text) => {
      const scanned = scanOrNull(text)
      fc.pre(scanned !== null)
      expect(scanned.profile === 'rfc8785').toBe(encodeOrNull(JSON.parse(text)) === text)
      expect(scanned.canonical).toBe(scanned.profile !== null)
      expect(scanned.reason === null).toBe(scanned.canonical)
    }),
    { numRuns: 4000 },
  )
})
