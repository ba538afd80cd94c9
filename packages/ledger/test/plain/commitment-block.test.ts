// Tests that commitments are recognised exactly if they are valid, and that both producers of facts return the same
// facts.
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { recogniseLine } from '../../src/plain/recognise-line.js'
import { checkLine } from '../../src/rules/check-line.js'
import { RICH_DRAFTS } from '../fixtures/rich-drafts.js'
import { type Entry, entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'

let entries: readonly Entry[] = []
beforeAll(async () => {
  entries = entriesOf(await writtenLines(RICH_DRAFTS, null)).filter(({ event }) => event !== 'checkpoint')
})

const hex = (digits: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)) },
    fc.constantFrom<unknown>('a'.repeat(digits - 1), 'A'.repeat(digits), 'a'.repeat(digits + 1), '', 1, null),
  )
const commitment = { hmac: hex(64), key_id: hex(16) }
const result = {
  ...commitment,
  bytes: fc.oneof({ weight: 6, arbitrary: fc.nat() }, fc.constantFrom<unknown>(0, 2 ** 53, 1.5, -1, '1', null)),
  profile: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('jcs', 'bytes') }, fc.constantFrom<unknown>('text', null)),
}
/** Rarely lacks a member, has another one, or is not an object. */
const block = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.record(members) },
    fc.record(members, { requiredKeys: [] }),
    fc.record({ ...members, more: fc.constant(1) }),
    fc.constantFrom<unknown>(null, 'x', [], {}),
  )

it.each([
  ['decision', block(commitment), (entry: Entry, given: unknown): Entry => ({ ...entry, commitment: given })],
  [
    'outcome',
    block(result),
    (entry: Entry, given: unknown): Entry => ({ ...entry, outcome: { ...(entry.outcome as object), result: given } }),
  ],
])('the commitments of a %s are recognised exactly when they are valid, and read alike', (event, arbitrary, withIt) => {
  let [valid, invalid] = [0, 0]
  const of = entries.filter((entry) => entry.event === event)
  fc.assert(
    fc.property(arbitrary, fc.nat(), (given, n) => {
      const entry = of[n % of.length] as Entry
      const line = Buffer.from(sealAll([entry, withIt(entry, given)])[1] ?? '')
      const facts = checkLine(line)
      expect(recogniseLine(line)).toEqual(facts.kind === 'call' ? facts : null)
      if (facts.kind === 'call') valid += 1
      else {
        invalid += 1
        expect(facts).toMatchObject({ kind: 'unreadable', code: 'ENTRY_INVALID' })
      }
    }),
    { numRuns: byTier({ short: 2_000, long: 20_000, slow: 200_000 }) },
  )
  expect(valid).toBeGreaterThan(100)
  expect(invalid).toBeGreaterThan(100)
})

it('an outcome may have any member `commitment`, which is not one of this format', () => {
  const [entry] = entries.filter(({ event }) => event === 'outcome')
  const line = Buffer.from(sealAll([entry as Entry, { ...entry, commitment: 1 } as Entry])[1] ?? '')
  expect(checkLine(line)).toMatchObject({ kind: 'call' })
  expect(recogniseLine(line)).toBeNull()
})
