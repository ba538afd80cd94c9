// Tests that the strict parser accepts every line that the recogniser accepts, with the same facts.
import { encodeCanonical } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { LineCursor } from '../../src/plain/line-cursor.js'
import { LineRecogniser } from '../../src/plain/recognise-line.js'
import { checkLine } from '../../src/rules/check-line.js'
import type { CallFacts } from '../../src/rules/line-facts.js'
import { decisionDraft, outcomeDraft, testSigner } from '../fixtures/draft.js'
import { type Entry, entriesOf, sealAll, sealTexts, writtenLines } from '../fixtures/seal.js'

const call = decisionDraft(1, { kwargs: { a: 'text', b: [1, 2, { c: null }], d: true } })
const spend = { action: 'x', agent_id: 'y', budget_key: null, checked: true, cost: 1, window_seconds: 60 }
const charged = { ...decisionDraft(2), budget: spend }
let lines: string[] = []
beforeAll(async () => {
  const drafts = [
    decisionDraft(9),
    call,
    outcomeDraft(call),
    charged,
    outcomeDraft(charged),
    decisionDraft(3, { effect: 'deny' }),
  ]
  // The first line is omitted, because only lines with a predecessor are recognised.
  lines = [...(await writtenLines(drafts)), ...(await writtenLines(drafts, testSigner(1)))].filter(
    (line) => !line.includes('"prev_entry_hash":null'),
  )
})

const read = (line: string): CallFacts | null => new LineRecogniser().next(new LineCursor(`${line}\n`))

/** Returns null if the line has a problem. */
function readStrictly(line: string): CallFacts | null {
  const facts = checkLine(Buffer.from(line))
  return facts.kind === 'call' && facts.hashProblems.length + facts.approvalProblems.length === 0 ? facts : null
}

describe('a plain line', () => {
  it('is what our own writer writes, signed or not, with a budget or without', () => {
    expect(lines).toHaveLength(10)
    for (const line of lines) expect(read(line)).toEqual(readStrictly(line))
  })

  it('is read as the strict parser reads it, or not at all, whatever character is put in, taken out or changed', () => {
    let accepted = 0
    const change = fc.record({
      line: fc.nat(9),
      at: fc.nat(),
      cut: fc.nat(2),
      put: fc.string({ unit: 'binary-ascii', maxLength: 2 }),
    })
    fc.assert(
      fc.property(change, ({ line, at, cut, put }) => {
        const text = lines[line] ?? ''
        const from = at % text.length
        const changed = text.slice(0, from) + put + text.slice(from + cut)
        // An earlier check excludes control characters.
        fc.pre(!/[\u0000-\u001f]/.test(changed))
        const facts = read(changed)
        if (facts === null) return
        accepted += 1
        expect(facts).toEqual(readStrictly(changed))
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  it('may hold any parameters and metadata, sealed anew by somebody who can compute hashes', () => {
    let accepted = 0
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), fc.dictionary(fc.string(), value), (kwargs, metadata) => {
        const [first, second] = entriesOf(lines.slice(0, 2))
        const entries = [first, { ...second, metadata, parameters: { args: [], kwargs } }] as Entry[]
        const line = sealAll(entries)[1] ?? ''
        const facts = read(line)
        if (facts === null) return
        accepted += 1
        expect(facts).toEqual(readStrictly(line))
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  it('ends at its first line feed, wherever that stands, and whatever comes behind it', () => {
    for (const line of lines)
      for (let at = 0; at < line.length; at += 1)
        expect(read(`${line.slice(0, at)}\n${line.slice(at + 1)}\n${line}`), `${at}`).toBeNull()
  })

  it('holds no line feed that somebody sealed in who can compute hashes', () => {
    const [, second] = entriesOf(lines)
    const changes: [string, Entry][] = [
      ['agent_id', { agent_id: 'support\nbot' }],
      ['a key of metadata', { metadata: { 'a\nb': 1 } }],
      ['parameters', { parameters: { args: ['a\nb'], kwargs: {} } }],
      ['an error', { outcome: { ...(second?.outcome as object), error: 'a\nb' } }],
    ]
    expect(second?.event).toBe('outcome')
    const sealed = (text: string): string => sealTexts([lines[0] ?? '', text], null)[1] ?? ''
    for (const [where, change] of changes) {
      const line = encodeCanonical({ ...second, ...change })
      expect(line, where).toContain('\\n')
      // The same line without the escape, sealed in the same way, is recognised.
      expect(read(sealed(line.replace('\\n', ' '))), where).not.toBeNull()
      expect(readStrictly(sealed(line.replace('\\n', '\n'))), where).toBeNull()
      expect(read(sealed(line.replace('\\n', '\n'))), where).toBeNull()
    }
  })

  it.each<[string, (entry: Entry) => Entry]>([
    ['another version', (entry) => ({ ...entry, schema_version: '2.1' })],
    ['another event', (entry) => ({ ...entry, event: 'decisions' })],
    ['no effect', (entry) => ({ ...entry, decision: { ...(entry.decision as object), effect: 'maybe' } })],
    ['a name without a character', (entry) => ({ ...entry, agent_id: '' })],
    ['a name that is too long', (entry) => ({ ...entry, agent_id: 'x'.repeat(257) })],
    ['a day that is none', (entry) => ({ ...entry, recorded_at: '2026-02-30T00:00:00.000000Z' })],
    ['a budget that costs less than nothing', (entry) => ({ ...entry, budget: { ...spend, cost: -1 } })],
    ['parameters with more in them', (entry) => ({ ...entry, parameters: { args: [], kwargs: {}, more: 1 } })],
    ['an approval', (entry) => ({ ...entry, approval: { approval_id: 'a' } })],
    ['metadata that is no object', (entry) => ({ ...entry, metadata: [] })],
  ])('is none with %s', (_, change) => {
    const [first, second] = entriesOf(lines)
    const line = sealAll([first as Entry, change(second as Entry)])[1] ?? ''
    expect(read(line)).toBeNull()
  })

  it('is none with a signature without a character, which no hash covers', () => {
    const [line = ''] = lines
    const changed = line.replace(/"entry_hash":"\w{64}"/, '$&,"entry_signature":""')
    expect(changed).not.toBe(line)
    expect(readStrictly(changed)).toBeNull()
    expect(read(changed)).toBeNull()
  })

  it('is none in another canonical order, or with white space', () => {
    const [line = ''] = lines
    expect(read(line)).not.toBeNull()
    expect(read(line.replace(',"agent_id"', ', "agent_id"'))).toBeNull()
    expect(read(encodeCanonical({ ...JSON.parse(line), extra: 1 }))).toBeNull()
  })
})
