// Tests the numbers of values that are not recorded as themselves, with arbitrary arguments.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noticeOf, parametersOf } from '../../src/policy/context.js'
import { CONVERTED, contextOf, counts, countsOf, DECOMPOSED, REPLACED, TOKEN } from '../fixtures/redacted-values.js'

describe('any arguments', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\u00e9', ' ', '1', '-'), maxLength: 8 })
  const plainLeaf = fc.oneof(
    word,
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((value) => (value === 0 ? 0 : value)),
  )
  const odd = fc.constantFrom<unknown[]>(
    ...REPLACED.map(([, value]) => value),
    ...CONVERTED.map(([, value]) => value),
    -0,
  )
  const tree = (leaf: fc.Arbitrary<unknown>, key: fc.Arbitrary<string>): fc.Arbitrary<unknown[]> => {
    const { list } = fc.letrec<{ value: unknown; list: unknown[] }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        tie('list'),
        fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
    }))
    return list
  }
  const oddKey = fc.constantFrom('password', '<Map>', '<text>', TOKEN, DECOMPOSED, '[redacted]', '[redacted]#2', '3')

  it('that are JSON in NFC without secrets count 0', () => {
    fc.assert(
      fc.property(tree(plainLeaf, word), (args) => {
        expect(counts(...args)).toEqual([0, 0])
        expect(countsOf({ args, unicode: 'refuse' })).toEqual([0, 0])
      }),
    )
  })

  it('count 0 exactly when the recorded parameters are the arguments', () => {
    const seen = { same: 0, other: 0 }
    const leaf = fc.oneof({ arbitrary: plainLeaf, weight: 12 }, odd)
    const key = fc.oneof({ arbitrary: word, weight: 12 }, oddKey)
    fc.assert(
      fc.property(tree(leaf, key), (args) => {
        const context = contextOf({ args })
        const { args: list, kwargs } = parametersOf(context)
        const recorded = list.length === 0 && args.length === 1 ? [kwargs] : list
        const isSame = isDeepStrictEqual(recorded, args)
        const { redacted, converted } = noticeOf(context)
        expect(redacted === 0).toBe(isSame)
        expect(converted).toBeLessThanOrEqual(redacted)
        seen[isSame ? 'same' : 'other']++
      }),
      { numRuns: 500 },
    )
    expect(Math.min(seen.same, seen.other)).toBeGreaterThan(50)
  })

  it('count as converted exactly the leaves that are not JSON', () => {
    const leaf = fc.oneof(
      { arbitrary: plainLeaf, weight: 4 },
      fc.constantFrom<unknown[]>(...CONVERTED.map(([, value]) => value), -0),
    )
    const isJson = (value: unknown): boolean =>
      value === null ||
      ['string', 'boolean'].includes(typeof value) ||
      (typeof value === 'number' && !Object.is(value, -0) && Math.abs(value) < 2 ** 53)
    const convertedIn = (value: unknown): number => {
      if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + convertedIn(item), 0)
      const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
      if (isPlain) return convertedIn(Object.values(value))
      return isJson(value) ? 0 : 1
    }
    fc.assert(
      fc.property(tree(leaf, fc.oneof(word, fc.constant('password'))), (args) => {
        expect(counts(...args)[1]).toBe(convertedIn(args))
      }),
      { numRuns: 300 },
    )
  })
})
