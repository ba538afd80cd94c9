// Tests that an authority is recognised exactly if it is valid, and that both producers of facts return the same facts.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { recogniseLine } from '../../src/plain/recognise-line.js'
import { checkLine } from '../../src/rules/check-line.js'
import { RICH_DRAFTS } from '../fixtures/rich-drafts.js'
import { type Entry, entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'

let decisions: readonly Entry[] = []
beforeAll(async () => {
  decisions = entriesOf(await writtenLines(RICH_DRAFTS, null)).filter(({ event }) => event === 'decision')
})

describe('authorities', () => {
  const text = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('a', 'alice', 'x'.repeat(256), 'é', 'null', '"') },
    fc.constantFrom('', 'x'.repeat(257), 'a\u007f', 'a\u0085', 'a\nb'),
    fc.string({ maxLength: 4 }),
  )
  const odd = <T>(value: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 40, arbitrary: value }, fc.constantFrom<unknown>(null, 1, [], {}))
  const record = (members: Record<string, fc.Arbitrary<unknown>>, needed: readonly string[]) =>
    fc.record({ ...members, extra: fc.constant('x') }, { requiredKeys: [...needed] as never[] }).map((value) => {
      // Rarely with a member that the shape does not have.
      const { extra, ...rest } = value as { readonly extra?: string; readonly [name: string]: unknown }
      return extra !== undefined && Object.keys(rest).length === 1 ? value : rest
    })
  const key = fc.constantFrom(
    'A'.repeat(43),
    'A'.repeat(42),
    `${'A'.repeat(42)}B`,
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  )
  const evidence = record({ kind: fc.constantFrom('jwt', 'jwt', 'jwt', 'jwt', 'jwt', 'saml'), key }, ['kind', 'key'])
  const subject = record(
    {
      id: odd(text),
      type: fc.constantFrom('user', 'service', 'agent'),
      issuer: text,
      assurance: fc.constantFrom('asserted', 'verified', 'signed'),
      evidence: odd(evidence),
    },
    ['id', 'type', 'assurance'],
  )
  const delegates = fc.array(odd(record({ id: text, issuer: text }, ['id'])), { maxLength: 9 })
  const authority = odd(
    record({ on_behalf_of: odd(subject), tenant: odd(text), session: text, delegation: odd(delegates) }, []),
  )

  it('are recognised exactly when they are valid, and read alike', () => {
    let [valid, invalid] = [0, 0]
    fc.assert(
      fc.property(authority, fc.nat(), (given, n) => {
        const entry = decisions[n % decisions.length] as Entry
        const [, line = ''] = sealAll([entry, { ...entry, authority: given }])
        const facts = checkLine(Buffer.from(line))
        if (facts.kind !== 'call') throw new Error(`not a call: ${line}`)
        const isValid = facts.authorityProblem === null && facts.hashProblems.length === 0
        expect(recogniseLine(Buffer.from(line))).toEqual(isValid ? facts : null)
        if (isValid) valid += 1
        else invalid += 1
      }),
      { numRuns: byTier({ short: 3_000, long: 30_000, slow: 300_000 }) },
    )
    expect(valid).toBeGreaterThan(100)
    expect(invalid).toBeGreaterThan(100)
  })
})
