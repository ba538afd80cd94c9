import { sha256Hex } from '@sudoagent/crypto'
import { hashEntry } from '@sudoagent/crypto/entry'
import { encodeCanonical, scanJson } from '@sudoagent/crypto/json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decisionHash, hashDecision } from '../../src/entry/decision-hash.js'
import type { CallEntry, EntryDraft } from '../../src/entry/entry.js'
import { parseLine } from '../../src/entry/line.js'
import { encodeDraft, linkEntry } from '../../src/write/encode-draft.js'
import { anyJson, anyObject } from '../fixtures/arbitrary.js'
import { decisionDraft, momentAt, outcomeDraft, POLICY_HASH, testSigner } from '../fixtures/draft.js'
import { type Entry, sealEntry } from '../fixtures/seal.js'

const FACTS = {
  requestId: '083a0f8c-664e-4692-9c0d-fb611024f7a4',
  decisionAt: '2026-11-22T20:18:29.260673Z',
  policyHash: POLICY_HASH,
  action: 'payments.refund',
  actor: { principal: 'support-bot', source: 'node' },
}
const PREVIOUS = sha256Hex('the entry before')
const KEY_ID = testSigner(1).keyId

describe('decisionHash', () => {
  it('is SHA-256 of the canonical object of LEDGER-FORMAT §3', () => {
    const parameters = { args: ['user_0'], kwargs: { amount: 499.5, note: '中文 说明' } }
    const { requestId, decisionAt, policyHash, action, actor } = FACTS
    const object = {
      version: '2.0',
      request_id: requestId,
      decision_at: decisionAt,
      policy_hash: policyHash,
      intent: action,
      resource: { type: 'function', name: action },
      parameters,
      actor,
    }
    expect(decisionHash(FACTS, parameters)).toBe(sha256Hex(encodeCanonical(object)))
  })

  it('normalises every text of it', () => {
    const decomposed = {
      ...FACTS,
      requestId: 'e\u0301',
      policyHash: 'e\u0301',
      action: 'e\u0301',
      actor: { principal: 'e\u0301', source: 'e\u0301' },
    }
    const composed = { ...FACTS, requestId: 'é', policyHash: 'é', action: 'é', actor: { principal: 'é', source: 'é' } }
    const none = { args: [], kwargs: {} }
    expect(decisionHash(decomposed, none)).toBe(decisionHash(composed, none))
  })

  it('differs when any of the facts does', () => {
    const none = { args: [], kwargs: {} }
    const hashes = [
      decisionHash(FACTS, none),
      decisionHash({ ...FACTS, requestId: 'x' }, none),
      decisionHash({ ...FACTS, decisionAt: momentAt(0) }, none),
      decisionHash({ ...FACTS, policyHash: 'x' }, none),
      decisionHash({ ...FACTS, action: 'x' }, none),
      decisionHash({ ...FACTS, actor: { principal: 'x', source: 'node' } }, none),
      decisionHash({ ...FACTS, actor: { principal: 'support-bot', source: 'python' } }, none),
      decisionHash(FACTS, { args: [1], kwargs: {} }),
      decisionHash(FACTS, { args: [], kwargs: { a: 1 } }),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('refuses parameters without a canonical form', () => {
    expect(() => decisionHash(FACTS, { args: [Number.NaN], kwargs: {} })).toThrow(
      expect.objectContaining({ code: 'VALUE_REFUSED' }),
    )
  })

  it('takes a decision without an actor for one of the Python implementation', () => {
    const { actor: _, ...entry } = decisionDraft(1)
    const line = encodeCanonical(entry)
    const expected = decisionHash(
      {
        ...FACTS,
        requestId: entry.request_id,
        decisionAt: entry.created_at,
        actor: { principal: entry.agent_id, source: 'python' },
      },
      entry.parameters,
    )
    expect(hashDecision(entry as unknown as CallEntry, line, scanJson(line).members)).toBe(expected)
  })
})

describe('linkEntry', () => {
  it('makes the line that encoding the whole entry would, whatever the entry says', () => {
    fc.assert(
      fc.property(
        anyObject,
        fc.array(anyJson),
        anyObject,
        fc.boolean(),
        fc.boolean(),
        (kwargs, args, metadata, first, signed) => {
          const draft = decisionDraft(1, { more: { parameters: { args, kwargs }, metadata } })
          const link = {
            prevEntryHash: first ? null : PREVIOUS,
            recordedAt: momentAt(5),
            keyId: signed ? KEY_ID : null,
          }
          const { entryHash, line } = linkEntry(encodeDraft(draft), link)
          const entry: Entry = { ...draft, schema_version: '2.0', ledger_version: '2.0', recorded_at: link.recordedAt }
          if (signed) entry.key_id = KEY_ID
          const sealed = sealEntry(entry, link.prevEntryHash, signed ? testSigner(1) : null)
          expect(entryHash).toBe(sealed.entryHash)
          const signature = signed ? (JSON.parse(sealed.line).entry_signature as string) : null
          expect(line(signature)).toBe(sealed.line)
        },
      ),
    )
  })

  it('makes lines that are read back with the same hash', () => {
    fc.assert(
      fc.property(anyObject, fc.option(fc.base64String({ minLength: 4, maxLength: 88 })), (kwargs, signature) => {
        const { entryHash, line } = linkEntry(encodeDraft(decisionDraft(1, { kwargs })), {
          prevEntryHash: PREVIOUS,
          recordedAt: momentAt(0),
          keyId: null,
        })
        const parsed = parseLine(Buffer.from(line(signature)))
        if (!parsed.ok) throw new Error(parsed.message)
        expect(hashEntry(parsed.text, parsed.members)).toBe(entryHash)
        expect(parsed.entry.entry_hash).toBe(entryHash)
        if (parsed.entry.event !== 'decision') throw new Error('no decision')
        expect(hashDecision(parsed.entry, parsed.text, parsed.members)).toBe(parsed.entry.decision.decision_hash)
      }),
    )
  })
})

describe('encodeDraft', () => {
  /** Returns the entry as a reader parses it. */
  const recorded = (draft: EntryDraft): Record<string, unknown> => {
    const link = { prevEntryHash: null, recordedAt: '2026-01-02T03:04:05.000000Z', keyId: null }
    return JSON.parse(linkEntry(encodeDraft(draft), link).line(null))
  }

  it('leaves out members that are undefined, and adds the versions', () => {
    const keys = Object.keys(recorded({ ...outcomeDraft(decisionDraft(1)), approval: undefined as never }))
    expect(keys).toEqual([
      'action',
      'actor',
      'agent_id',
      'created_at',
      'decision',
      'entry_hash',
      'event',
      'ledger_version',
      'metadata',
      'outcome',
      'parameters',
      'prev_entry_hash',
      'recorded_at',
      'request_id',
      'schema_version',
    ])
  })

  it('keeps members that it does not know', () => {
    const more = { trace: { b: 1, a: 2 }, zone: 'eu', a: 1 }
    expect(recorded({ ...decisionDraft(1), ...more } as never)).toMatchObject(more)
  })

  it.each([
    'schema_version',
    'ledger_version',
    'recorded_at',
    'prev_entry_hash',
    'entry_hash',
    'key_id',
    'entry_signature',
  ])('refuses a draft that brings its own %s', (field) => {
    const code = expect.objectContaining({ code: 'ENTRY_REFUSED' })
    expect(() => encodeDraft({ ...decisionDraft(1), [field]: '2.0' } as never)).toThrow(code)
    expect(() => encodeDraft({ ...decisionDraft(1), [field]: undefined } as never)).toThrow(code)
  })

  it('takes data: a member that has to be computed is refused, and one that is undefined is not there', () => {
    const asked = { ...decisionDraft(1) }
    Object.defineProperty(asked, 'action', { get: () => 'refund', enumerable: true })
    expect(() => encodeDraft(asked)).toThrow(expect.objectContaining({ code: 'ENTRY_REFUSED' }))
    const bare = decisionDraft(1)
    expect(encodeDraft({ ...bare, trace: undefined } as never)).toEqual(encodeDraft(bare))
  })

  it('says the same of what it looks at as given, and of what it has to read back', () => {
    const spots = [
      [],
      ['actor'],
      ['decision'],
      ['outcome'],
      ['parameters'],
      ['metadata'],
      ['approval'],
      ['budget'],
    ] as const
    const keys = [
      'event',
      'action',
      'agent_id',
      'request_id',
      'created_at',
      'principal',
      'reason',
      'effect',
      'args',
      'cost',
      'x',
    ]
    const value = fc.oneof(
      anyJson,
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('a'.repeat(256), 'a'.repeat(257), '\u0344'.repeat(129)),
    )
    const verdict = (draft: EntryDraft): unknown => {
      try {
        return encodeDraft(draft)
      } catch (error) {
        return (error as Error).message
      }
    }
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(...spots),
        fc.constantFrom(...keys),
        value,
        (isOutcome, [block], key, made) => {
          const draft = structuredClone(isOutcome ? outcomeDraft(decisionDraft(1)) : decisionDraft(1)) as never as Entry
          if (block === undefined) draft[key] = made
          else draft[block] = { ...(draft[block] as object | null), [key]: made }
          expect(verdict(new Proxy(draft, {}) as never)).toEqual(verdict(draft as never))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('does not let a proxy bring a field of the ledger that it had not when it was asked before', () => {
    let times = 0
    const draft = new Proxy(
      { ...decisionDraft(1) },
      {
        ownKeys: (target) => [...Reflect.ownKeys(target), ...(times++ === 0 ? [] : ['key_id'])],
        getOwnPropertyDescriptor: (target, key) =>
          key === 'key_id'
            ? { value: '0'.repeat(16), enumerable: true, configurable: true }
            : Reflect.getOwnPropertyDescriptor(target, key),
      },
    )
    expect(() => encodeDraft(draft)).toThrow(expect.objectContaining({ code: 'ENTRY_REFUSED' }))
  })

  it('counts bytes, not characters', () => {
    const bytes = (text: string): number => encodeDraft(decisionDraft(1, { kwargs: { text } })).bytes
    expect(bytes('€€') - bytes('ee')).toBe(4)
  })

  it('never repeats what it refuses', () => {
    const draft = decisionDraft(1, { more: { metadata: { token: 'hunter2\ud800' } } })
    expect(() => encodeDraft(draft)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    )
  })
})
