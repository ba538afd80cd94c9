// Tests that exports and searches by range have the same results as exports and searches line by line, whatever the
// entries contain.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { anyObject } from '../fixtures/arbitrary.js'
import { KINDS, ledgerOf } from '../fixtures/attack.js'
import { approvalOf, decisionDraft, outcomeDraft, testSigner } from '../fixtures/draft.js'
import { jsonlOf, sqliteOf } from '../fixtures/ledger-file.js'
import { SOUGHT, sameOutcome } from '../fixtures/same-outcome.js'
import { writtenLines } from '../fixtures/seal.js'

describe('entries with anything in them', () => {
  const odd = [
    '=1+1',
    ' +1',
    '-',
    '@x',
    '%',
    '|calc',
    "it's",
    'a,b',
    ' padded ',
    'a"b',
    'tab\t',
    'plain',
    '\u00a0=1',
    'é',
    'K',
    '',
  ]
  const text = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: 'grapheme', maxLength: 8 }))
  const name = text.filter((value) => value !== '')
  const orNull = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string | null> => fc.option(arbitrary, { nil: null })
  const entry = fc.record({
    action: name,
    agent: name,
    kwargs: anyObject,
    metadata: fc.oneof(fc.constant({}), anyObject),
    reason: text,
    code: orNull(name),
    policy: name,
    version: orNull(name),
    isDenied: fc.boolean(),
    isCharged: fc.boolean(),
    isApproved: fc.boolean(),
    error: orNull(text),
    type: orNull(text),
  })
  const spend = { budget_key: null, agent_id: 'a', action: 'b', cost: 3, window_seconds: 60, checked: true }

  it.each(KINDS)('%s', { timeout: 240_000 }, async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(8),
        async (entries, at, length) => {
          const drafts = entries.flatMap((one, n) => {
            const base = decisionDraft(n + 1, {
              action: one.action,
              kwargs: one.kwargs,
              effect: one.isDenied ? 'deny' : 'allow',
              decision: {
                reason: one.reason,
                reason_code: one.code,
                policy_id: one.policy,
                policy_version: one.version,
              },
              more: { agent_id: one.agent, metadata: one.metadata, budget: one.isCharged ? spend : null },
            })
            const call = one.isApproved ? { ...base, approval: approvalOf(base) } : base
            const outcome = outcomeDraft(call, { status: 'error', error_type: one.type, error: one.error })
            return one.isDenied ? [call] : [call, outcome]
          })
          const path = await ledgerOf(kind, drafts, at % 2 === 0 ? {} : { signer: testSigner(1) })
          const lines = drafts.map((draft) => JSON.stringify(draft)).join('')
          const needle = lines.slice(at % lines.length, (at % lines.length) + length + 1)
          const { unreadable } = await sameOutcome(path, [{ text: needle }, { text: needle.toUpperCase() }, ...SOUGHT])
          expect(unreadable).toEqual([])
        },
      ),
      { numRuns: byTier({ short: 10, long: 40 }) },
    )
  })

  it.each([
    ['\u212a', 'k'],
    ['\u0130x', 'i'],
    ['\u0130', 'i\u0307'],
    ['STRASSE ẞ', 'ß'],
    ['ΟΔΟΣ', 'οδος'],
    ['a/b', 'a/b'],
    ['line\nfeed', 'line\nfeed'],
    ['\u0001', '\u0001'],
    ['back\\slash', 'back\\slash'],
    ['say "hi"', '"HI"'],
    ['e\u0301', '\u00c9'],
    ['\u{1d4b3}', '\u{1d4b3}'],
    ['\u2028', '\u2028'],
    ['\ufffd', '\ufffd'],
  ])('%j is found by %j', async (says, needle) => {
    const lines = await writtenLines([decisionDraft(1), decisionDraft(2, { kwargs: { says } }), decisionDraft(3)])
    for (const path of [jsonlOf([...lines, ...lines]), sqliteOf([...lines, ...lines])]) {
      const { found } = await sameOutcome(path, [{ text: needle, event: 'decision' }])
      expect(found[0]?.some((line) => line.startsWith('2 '))).toBe(true)
    }
  })
})
