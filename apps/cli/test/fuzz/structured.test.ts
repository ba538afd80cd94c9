// Fuzzes JSON parsers by changing values instead of bytes: puts any value in any place, and recomputes the hashes that
// would otherwise reveal the change.
import fc, { type JsonValue } from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { byTier, TIER } from '../../../../test/tier.js'
import { makeEvidence } from './evidence.js'
import { isCoded, ledgerTargets } from './ledger-targets.js'
import { type Target, text, textTargets } from './targets.js'

const slow = TIER === 'slow'
const SEED = Number(process.env.FUZZ_SEED ?? (slow ? Date.now() % 2 ** 31 : 1))
const RUNS = byTier({ short: 50, long: 150, slow: 20_000 })

const evidence = await makeEvidence()
const { targets: files, remove } = ledgerTargets(evidence)
afterAll(remove)
const targets = new Map([...textTargets(evidence), ...files].map((target) => [target.name, target]))

/** Returns the path of every value inside `value`, as a list of keys. */
function placesIn(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way]
  return [way, ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...way, key]))]
}

/** Returns a copy of the value with one part replaced. `undefined` removes that part. */
function withValue(value: unknown, [key, ...rest]: readonly string[], change: unknown): unknown {
  if (key === undefined) return change
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return value.map((member, n) => (String(n) === key ? withValue(member, rest, change) : member))
  return Object.fromEntries(
    Object.entries(value as object).map(([name, member]) => [
      name,
      name === key ? withValue(member, rest, change) : member,
    ]),
  )
}

const HOSTILE: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  2 ** 53,
  1e300,
  '',
  '\u0000',
  '\u001b[2J',
  '\u202e',
  '__proto__',
  [],
  {},
  [[]],
  'x'.repeat(5_000),
]
const change = fc.oneof(fc.constantFrom(undefined, ...HOSTILE), fc.jsonValue({ maxDepth: 3 }))

/** Generates JSON texts with up to three changed values. */
function spoilt(source: string): fc.Arbitrary<string> {
  const value: unknown = JSON.parse(source)
  const edit = fc.tuple(fc.constantFrom(...placesIn(value)), change)
  return fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map(
      (edits) =>
        `${JSON.stringify(edits.reduce((now, [way, to]) => (placesIn(now).length > 1 ? withValue(now, way, to) : now), value)) ?? 'null'}\n`,
    )
}

const lines = text(evidence.jsonl).split('\n').slice(0, -1)
/** Generates ledgers with one changed line. */
const ledger = fc
  .nat(lines.length - 1)
  .chain((n) =>
    spoilt(lines[n] ?? '').map((line) => lines.map((one, at) => (at === n ? line.trimEnd() : one)).join('\n')),
  )
  .map((all) => `${all}\n`)

it.each<[string, fc.Arbitrary<string>]>([
  ['receipt', spoilt(evidence.receipts[0] ?? '')],
  ['verified state', spoilt(evidence.state)],
  ['JSONL ledger', ledger],
  ['writer of a JSONL ledger', ledger],
  ['JSON', spoilt(lines[1] ?? '')],
])(
  `%s: any value in any place gets a code or a finding (FUZZ_SEED=${SEED})`,
  { timeout: 3_600_000 },
  async (name, inputs) => {
    const target = targets.get(name) as Target
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        try {
          await target.run(Buffer.from(input))
        } catch (error) {
          if (!isCoded(error)) throw error
        }
      }),
      { seed: SEED, numRuns: Math.ceil(RUNS / Math.sqrt(target.cost)) },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  },
)
