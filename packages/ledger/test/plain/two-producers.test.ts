// Tests that for any bytes, the fast producer of facts returns either the facts that the strict producer returns, or
// null.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeCanonical } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { byTier, TIER } from '../../../../test/tier.js'
import { LineCursor } from '../../src/plain/line-cursor.js'
import { plainText } from '../../src/plain/plain-text.js'
import { LineRecogniser, recogniseLine } from '../../src/plain/recognise-line.js'
import { checkLine } from '../../src/rules/check-line.js'
import { anyObject } from '../fixtures/arbitrary.js'
import { testSigner } from '../fixtures/draft.js'
import { RICH_DRAFTS } from '../fixtures/rich-drafts.js'
import { type Entry, entriesOf, sealAll, sealTexts, writtenLines } from '../fixtures/seal.js'

/** Duration of the slow tier, which the three properties share equally. */
const HOUR_MS = 3_600_000
const isSlow = TIER === 'slow'
const runs = (short: number): { numRuns: number; interruptAfterTimeLimit?: number } =>
  isSlow
    ? { numRuns: Number.POSITIVE_INFINITY, interruptAfterTimeLimit: HOUR_MS / 3 }
    : { numRuns: byTier({ short, long: 10 * short }) }
const LIMIT = isSlow ? { timeout: HOUR_MS } : {}

let ledgers: { readonly signer: ReturnType<typeof testSigner> | null; readonly lines: readonly string[] }[] = []
beforeAll(async () => {
  ledgers = await Promise.all(
    [null, testSigner(1)].map(async (signer) => ({ signer, lines: await writtenLines(RICH_DRAFTS, signer) })),
  )
})

/** @returns whether the line was recognised in full mode, after checking that plain mode agrees */
function isRecognised(line: Uint8Array): boolean {
  const bytes = Buffer.from(line)
  const full = recogniseLine(bytes)
  if (full !== null) expect(full).toEqual(checkLine(bytes))
  const text = plainText(Buffer.concat([bytes, Buffer.from('\n')]))
  const plain = text === null || bytes.includes(10) ? null : new LineRecogniser().next(new LineCursor(text))
  // If plain mode recognises a line, full mode must return the same facts.
  if (plain !== null) expect(full).toEqual(plain)
  return full !== null
}

describe('recogniseLine is null, or equals checkLine', LIMIT, () => {
  it('on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        isRecognised(bytes)
      }),
      runs(2_000),
    )
  })

  it('on lines of ours with any of their text changed, sealed anew or not', () => {
    const PUTS = ['"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', '.', 'e', ' ', '', '\\n', '\\u000b', '\\u00e9']
    const MORE = ['é', 'e\u0301', '\u0301', '😀', '\\ud83d', '\u007f', '\u0000', '\n', '"\n"', ',"a":1', '1e5', '0.50']
    const change = fc.record({ at: fc.nat(), cut: fc.nat(3), put: fc.constantFrom(...PUTS, ...MORE) })
    const changes = fc.record({
      isSigned: fc.boolean(),
      isSealed: fc.oneof(fc.constant(true), fc.boolean()),
      line: fc.nat(RICH_DRAFTS.length - 1),
      made: fc.array(change, { minLength: 1, maxLength: 3 }),
    })
    let recognised = 0
    fc.assert(
      fc.property(changes, ({ isSigned, isSealed, line, made }) => {
        const { signer, lines } = ledgers[isSigned ? 1 : 0] ?? { signer: null, lines: [] }
        let text = lines[line] ?? ''
        for (const { at, cut, put } of made) {
          const from = at % text.length
          text = text.slice(0, from) + put + text.slice(from + cut)
        }
        // A lone surrogate cannot be encoded.
        text = text.toWellFormed()
        if (isSealed) text = sealTexts([lines[0] ?? '', text], signer)[1] ?? ''
        if (isRecognised(Buffer.from(text))) recognised += 1
      }),
      runs(6_000),
    )
    expect(recognised).toBeGreaterThan(0)
  })

  it('on entries with any parameters and metadata, sealed by somebody who can compute hashes', () => {
    let recognised = 0
    fc.assert(
      fc.property(anyObject, anyObject, fc.nat(), (kwargs, metadata, n) => {
        const outcomes = entriesOf(ledgers[0]?.lines ?? []).filter(({ event }) => event === 'outcome')
        const entry = outcomes[n % outcomes.length] as Entry
        const [, line = ''] = sealAll([entry, { ...entry, metadata, parameters: { args: [kwargs], kwargs } }])
        if (isRecognised(Buffer.from(line))) recognised += 1
      }),
      runs(1_000),
    )
    expect(recognised).toBeGreaterThan(isSlow ? 0 : 500)
  })
})

it('every line that this package writes about a call is recognised, all but a first one', () => {
  for (const { lines } of ledgers) {
    const known = lines.map((line) => isRecognised(Buffer.from(line)))
    expect(known).toEqual(lines.map((_, n) => n > 0))
  }
})

it('nesting is recognised up to three levels before the strict bound, and never beyond it', () => {
  const known = Array.from({ length: 20 }, (_, n) => {
    const depth = 112 + n
    const value = JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as unknown
    const [first, second] = entriesOf(ledgers[0]?.lines ?? []) as [Entry, Entry]
    const seal = (args: unknown): string =>
      sealTexts(
        [
          encodeCanonical(first),
          encodeCanonical({ ...second, parameters: { args: ['HERE'], kwargs: {} } }).replace(
            '"HERE"',
            JSON.stringify(args),
          ),
        ],
        null,
      )[1] ?? ''
    return isRecognised(Buffer.from(seal(value)))
  })
  expect(known.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => true))
  expect(known.at(-1)).toBe(false)
})

describe('what is recognised, and what is not', () => {
  /** Returns the second of two outcomes, sealed after a change to its text. */
  function sealed(change: (text: string) => string): Buffer {
    const outcome = entriesOf(ledgers[0]?.lines ?? []).find(({ event }) => event === 'outcome') as Entry
    const metadata = { value: 'HERE' }
    const [first, second] = sealAll([outcome, { ...outcome, metadata }]) as [string, string]
    return Buffer.from(sealTexts([first, change(second)], null)[1] ?? '')
  }

  it.each<[value: string, isKnown: boolean]>([
    ['"é"', true],
    ['"e\u0301"', false],
    ['"\\n\u0303"', false],
    ['"\\u001f\\u000b\\u007f"', false],
    ['"\\u001f\\u000b\u007f"', true],
    ['"\\u001F"', false],
    ['"\\u000a"', false],
    ['"\\u00e9"', false],
    ['"\\ud83d\\ude00"', false],
    ['"\\/"', false],
    ['"\\"\\\\\\b\\f\\n\\r\\t"', true],
    ['1.5', true],
    ['1.50', false],
    ['1.0', false],
    ['-0', false],
    ['01', false],
    ['1e-7', true],
    ['1E-7', false],
    ['0.0000001', false],
    ['1e+21', true],
    ['1e21', false],
    ['1e999', false],
    ['100000000000000000000', true],
    ['12345678901234567890', false],
    ['{"a":1,"b":2}', true],
    ['{"b":1,"a":2}', false],
    ['{"a":1,"a":1}', false],
    ['{"\u{1d4b3}":1,"\uffee":2}', true],
    ['{"\uffee":1,"\u{1d4b3}":2}', false],
    ['{"\\n":1," ":2}', true],
    ['{" ":1,"\\n":2}', false],
    ['[1, 2]', false],
  ])('%s: %s', (value, isKnown) => {
    expect(isRecognised(sealed((text) => text.replace('"HERE"', value)))).toBe(isKnown)
  })

  it('text that is not UTF-8 is not, even where the seal is that of its replacement', () => {
    const line = sealed((text) => text.replace('HERE', 'x\ufffdy'))
    expect(isRecognised(line)).toBe(true)
    const at = line.indexOf('\ufffd')
    expect(isRecognised(Buffer.concat([line.subarray(0, at), Buffer.from([0xff]), line.subarray(at + 3)]))).toBe(false)
  })

  it('lengths count what a text says, not how it is written', () => {
    const withAgent = (agent: string) => sealed((text) => text.replace(/"agent_id":"[^"]+"/, `"agent_id":"${agent}"`))
    expect(isRecognised(withAgent('\\n'.repeat(256)))).toBe(true)
    expect(isRecognised(withAgent('\\n'.repeat(257)))).toBe(false)
    expect(isRecognised(withAgent('é'.repeat(257)))).toBe(false)
  })

  it('a block that does not fit the format is not', () => {
    const [first, ...entries] = entriesOf(ledgers[0]?.lines ?? [])
    const known = (change: (entry: Entry) => Entry | null): boolean[] =>
      entries.flatMap((entry) => {
        const changed = change(entry)
        if (changed === null) return []
        const [, line = ''] = sealAll([first as Entry, changed])
        return [isRecognised(Buffer.from(line))]
      })
    const inBlock = (name: string, change: object) => (entry: Entry) =>
      typeof entry[name] === 'object' && entry[name] !== null
        ? { ...entry, [name]: { ...entry[name], ...change } }
        : null
    expect(known(inBlock('budget', { window_seconds: -0.5 }))).toEqual([false])
    expect(known(inBlock('budget', { window_seconds: 1e21 }))).toEqual([true])
    expect(known(inBlock('approval', { binding: null })).filter(Boolean)).toEqual([true])
    expect(known(inBlock('approval', { state: '' }))).toEqual([false, false, false])
    const binding = { decision_hash: 'x'.repeat(64), policy_hash: 'p', request_id: 'r' }
    expect(known(inBlock('approval', { binding }))).toEqual([false, false, false])
  })

  it('what is wrong with an approval makes its line unknown, and what it is good for is in the facts', () => {
    const [first, ...entries] = entriesOf(ledgers[0]?.lines ?? [])
    const approved = entries.filter(({ approval, event }) => approval != null && event === 'decision')
    const allowed = approved.filter(({ decision }) => (decision as { effect: string }).effect === 'allow')
    expect(allowed).toHaveLength(2)
    for (const change of [{ state: 'denied' }, { expires_at: '2026-01-01T00:00:00.000000Z' }, { binding: null }])
      for (const entry of allowed) {
        const [, line = ''] = sealAll([
          first as Entry,
          { ...entry, approval: { ...(entry.approval as object), ...change } },
        ])
        expect(isRecognised(Buffer.from(line))).toBe(false)
      }
  })
})

describe('on every vector', () => {
  const ours = join(import.meta.dirname, '../../../../vectors/ledger')
  const python = ['python-v2', 'python-pypi-2.0.0'].map((name) =>
    join(import.meta.dirname, '../../../../../shared/vectors', name),
  )
  const filesIn = (folder: string): string[] => {
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.jsonl'))
        .map((name) => join(folder, name))
    } catch {
      return []
    }
  }
  const files = [ours, ...python].flatMap(filesIn)

  it.each(files)('%s', (file) => {
    for (const line of readFileSync(file, 'latin1').split('\n')) isRecognised(Buffer.from(line, 'latin1'))
  })

  it('there are some', () => expect(files.length).toBeGreaterThan(50))
})
