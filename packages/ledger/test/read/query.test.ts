import { describe, expect, it } from 'vitest'
import type { LedgerReader } from '../../src/port/reader.js'
import { EMPTY_HEAD } from '../../src/port/writer.js'
import { type Criteria, type CriteriaInput, parseCriteria } from '../../src/read/criteria.js'
import { select } from '../../src/read/query.js'
import { openLedgerReader } from '../../src/store/open.js'
import { encodeDraft } from '../../src/write/encode-draft.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { approvalOf, decisionDraft, momentAt, outcomeDraft, requestIdOf } from '../fixtures/draft.js'
import { jsonlOf, sqliteOf } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'

const small = decisionDraft(1, { kwargs: { amount: 5, to: 'Zoë', note: 'Größe "L"' } })
const large = decisionDraft(2, {
  action: 'payments.pay',
  effect: 'deny',
  kwargs: { amount: 12_345.5, flags: [true, null], deep: { Reference: ['INV-2026'] } },
  decision: { reason_code: 'POLICY_DENY_HIGH_RISK', reason: 'too much' },
})
const asked = decisionDraft(3, { more: { agent_id: 'night-bot' } })
const lines = await writtenLines([
  small,
  outcomeDraft(small),
  large,
  { ...asked, approval: approvalOf(asked) },
  outcomeDraft(asked, { status: 'error', error_type: 'TimeoutError', error: 'no answer' }),
])
const CONTROL = `{"created_at":"${momentAt(9)}","entry_hash":"${'0'.repeat(64)}","event":"checkpoint","ledger_version":"2.0","prev_entry_hash":null,"schema_version":"2.0"}`

async function withReader<T>(
  content: readonly (string | Uint8Array)[],
  use: (reader: LedgerReader) => Promise<T>,
): Promise<T> {
  const reader = await openLedgerReader(jsonlOf(content))
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

async function positions(reader: LedgerReader, criteria?: Criteria): Promise<number[]> {
  const found = []
  for await (const { position } of select(reader, criteria)) found.push(position)
  return found
}

const find = (
  criteria?: Criteria,
  content: readonly (string | Uint8Array)[] = [...lines, CONTROL],
): Promise<number[]> => withReader(content, (reader) => positions(reader, criteria))

describe('parseCriteria', () => {
  it.each<[CriteriaInput, Criteria]>([
    [{}, {}],
    [
      { requestId: 'r', action: 'a', agentId: 'b', reasonCode: 'c', text: 't' },
      { requestId: 'r', action: 'a', agentId: 'b', reasonCode: 'c', text: 't' },
    ],
    [
      { event: 'decision', effect: 'deny', outcome: 'error' },
      { event: 'decision', effect: 'deny', outcome: 'error' },
    ],
    [{ event: 'checkpoint' }, { event: 'checkpoint' }],
    [
      { start: '2026-01-02', end: '2026-01-02' },
      { start: '2026-01-02T00:00:00.000000Z', end: '2026-01-02T23:59:59.999999Z' },
    ],
    [{ start: '2026-01-02T03:04:05Z' }, { start: '2026-01-02T03:04:05.000000Z' }],
    [{ end: '2026-01-02T03:04:05Z' }, { end: '2026-01-02T03:04:05.999999Z' }],
    [
      { start: '2026-01-02T03:04:05.5Z', end: '2026-01-02T03:04:05.5Z' },
      { start: '2026-01-02T03:04:05.500000Z', end: '2026-01-02T03:04:05.599999Z' },
    ],
    [{ start: '2026-01-02T03:04:05.123456Z' }, { start: '2026-01-02T03:04:05.123456Z' }],
    [{ limit: '1' }, { limit: 1 }],
    [{ limit: '999999999999999' }, { limit: 999_999_999_999_999 }],
  ])('reads %j', (input, criteria) => expect(parseCriteria(input)).toEqual(criteria))

  it.each<[CriteriaInput]>([
    [{ action: '' }],
    [{ text: '' }],
    [{ limit: '' }],
    [{ event: 'Decision' }],
    [{ event: 'genesis' }],
    [{ effect: 'require_approval' }],
    [{ outcome: 'failed' }],
    [{ start: 'yesterday' }],
    [{ start: '2026-02-30' }],
    [{ start: '2026-01-02T03:04' }],
    [{ start: '2026-01-02 03:04:05' }],
    [{ start: '2026-01-02T03:04:05' }],
    [{ start: '2026-01-02T03:04:05+01:00' }],
    [{ start: '2026-01-02T03:04:05.1234567Z' }],
    [{ start: '2026-01-02T03:04:05.Z' }],
    [{ end: '2026-01-02Z' }],
    [{ end: '20260102' }],
    [{ start: '2026-01-03', end: '2026-01-02' }],
    [{ start: '2026-01-02T00:00:01Z', end: '2026-01-02T00:00:00Z' }],
    [{ limit: '0' }],
    [{ limit: '-1' }],
    [{ limit: '1.5' }],
    [{ limit: '1e3' }],
    [{ limit: ' 1' }],
    [{ limit: '1000000000000000' }],
  ])('refuses %j', async (input) => expect(await refusalOf(() => parseCriteria(input))).toBe('QUERY_INVALID'))
})

describe('select', () => {
  it.each<[string, Criteria, number[]]>([
    ['everything', {}, [1, 2, 3, 4, 5, 6]],
    ['a request', { requestId: requestIdOf(1) }, [1, 2]],
    ['an action', { action: 'payments.pay' }, [3]],
    ['part of an action', { action: 'payments' }, []],
    ['an agent', { agentId: 'night-bot' }, [4, 5]],
    ['decisions', { event: 'decision' }, [1, 3, 4]],
    ['outcomes', { event: 'outcome' }, [2, 5]],
    ['control entries', { event: 'checkpoint' }, [6]],
    ['an effect', { effect: 'deny' }, [3]],
    ['an effect, which outcomes have not', { effect: 'allow' }, [1, 4]],
    ['a reason code', { reasonCode: 'POLICY_DENY_HIGH_RISK' }, [3]],
    ['successes', { outcome: 'success' }, [2]],
    ['errors', { outcome: 'error' }, [5]],
    ['a decision hash', { decisionHash: small.decision.decision_hash }, [1, 2]],
    ['a first moment', { start: momentAt(3) }, [4, 5, 6]],
    ['a last moment', { end: momentAt(2) }, [1, 2, 3]],
    ['one moment', { start: momentAt(2), end: momentAt(2) }, [3]],
    ['the first ones', { limit: 2 }, [1, 2]],
    ['none', { limit: 0 }, []],
    ['the first of several', { event: 'decision', limit: 1, effect: 'allow' }, [1]],
    ['several things at once', { action: 'payments.refund', event: 'outcome', outcome: 'error' }, [5]],
    ['things that never go together', { event: 'checkpoint', effect: 'allow', outcome: 'error' }, []],
    ['calls that were allowed and failed', { effect: 'allow', outcome: 'error' }, [4, 5]],
    ['calls that were allowed and went well', { effect: 'allow', outcome: 'success' }, [1, 2]],
    ['denied calls that ran', { effect: 'deny', outcome: 'success' }, []],
    ['the decision of them alone', { event: 'decision', effect: 'allow', outcome: 'error' }, [4]],
    ['the outcome of them alone', { event: 'outcome', effect: 'allow', outcome: 'error' }, [5]],
    ['outcomes of allowed calls', { event: 'outcome', effect: 'allow' }, [2, 5]],
    ['outcomes of denied calls', { event: 'outcome', effect: 'deny' }, []],
    ['decisions of calls that failed', { event: 'decision', outcome: 'error' }, [4]],
    ['one call that was allowed and failed', { requestId: requestIdOf(3), effect: 'allow', outcome: 'error' }, [4, 5]],
    [
      'one call that was allowed and did not fail',
      { requestId: requestIdOf(1), effect: 'allow', outcome: 'error' },
      [],
    ],
    ['the first of them', { effect: 'allow', outcome: 'success', limit: 1 }, [1]],
    ['none of them', { effect: 'allow', outcome: 'success', limit: 0 }, []],
    ['entries of them that say a text', { effect: 'allow', outcome: 'error', text: 'no answer' }, [5]],
    ['of them those of an agent', { effect: 'allow', outcome: 'error', agentId: 'night-bot' }, [4, 5]],
    ['of them those of another agent', { effect: 'allow', outcome: 'success', agentId: 'night-bot' }, []],
  ])('finds %s', async (_, criteria, found) => expect(await find(criteria)).toEqual(found))

  it.each<[string, number[]]>([
    ['inv-2026', [3]],
    ['INV-2026', [3]],
    ['reference', [3]],
    ['zoë', [1, 2]],
    ['ZOE\u0308', [1, 2]],
    ['größe "l"', [1, 2]],
    ['12345.5', [3]],
    ['true', [3]],
    ['timeouterror', [5]],
    ['ops@example.com', [4]],
    ['payments.re', [1, 2, 4, 5]],
    [requestIdOf(2), [3]],
    ['nothing of the kind', []],
    ['kwargs', [1, 2, 3, 4, 5]],
  ])('searches for %j in every text, whatever the case', async (text, found) =>
    expect(await find({ text })).toEqual(found),
  )

  it('passes over what cannot be read', async () => {
    const content = ['{', 'junk', lines[0] ?? '', '', '{}', Buffer.of(0xff), `${lines[1]} `, lines[2] ?? '']
    expect(await find({}, content)).toEqual([3, 8])
  })

  it('finds numbers that fit no double by their digits', async () => {
    const exact = (lines[0] ?? '').replace('"amount":5', '"amount":13.000000000000000000001')
    expect(await find({ text: '13.000000000000000000001' }, [exact])).toEqual([1])
    expect(await find({ text: '13.000000000000000000002' }, [exact])).toEqual([])
  })

  it('finds what was written in another normalisation form', async () => {
    const [line = ''] = await writtenLines([decisionDraft(1, { action: 'caf\u00e9', requestId: 're\u0301q' })])
    expect(await find({ action: 'cafe\u0301' }, [line])).toEqual([1])
    expect(await find({ requestId: 'r\u00e9q' }, [line])).toEqual([1])
  })

  it('finds values with characters that JSON escapes', async () => {
    const [line = ''] = await writtenLines([decisionDraft(1, { action: 'say "hi"\\\n\u0001' })])
    expect(await find({ action: 'say "hi"\\\n\u0001' }, [line])).toEqual([1])
    expect(await find({ action: '\ud800' }, [line])).toEqual([])
  })

  it('gives the line as it is stored', async () => {
    await withReader(lines, async (reader) => {
      const stored = []
      for await (const { json, entry } of select(reader)) {
        expect(JSON.parse(json)).toEqual(entry)
        stored.push(json)
      }
      expect(stored).toEqual(lines)
    })
  })

  it('finds the same in SQLite, and may be left in the middle', async () => {
    const reader = await openLedgerReader(sqliteOf(lines))
    expect(await positions(reader, { event: 'decision' })).toEqual([1, 3, 4])
    for await (const { position } of select(reader)) if (position === 2) break
    expect(await positions(reader, { event: 'outcome' })).toEqual([2, 5])
    await reader.close()
  })
})

describe('criteria about a call', () => {
  it('in a ledger that does not verify: an outcome of a denied call is found, one without a decision is not', async () => {
    const denied = decisionDraft(1, { effect: 'deny' })
    const content = await writtenLines([denied, outcomeDraft(denied), outcomeDraft(decisionDraft(2))])
    expect(await find({ effect: 'deny', outcome: 'success' }, content)).toEqual([1, 2])
    expect(await find({ event: 'outcome', effect: 'deny' }, content)).toEqual([2])
    expect(await find({ effect: 'allow', outcome: 'success' }, content)).toEqual([])
  })

  it('two decisions of one call: each entry that comes out fits by itself', async () => {
    const [allowed, denied] = [decisionDraft(1), decisionDraft(1, { effect: 'deny' })]
    const content = await writtenLines([denied, allowed, outcomeDraft(allowed)])
    expect(await find({ effect: 'allow', outcome: 'success' }, content)).toEqual([2, 3])
    expect(await find({ effect: 'deny', outcome: 'success' }, content)).toEqual([1, 3])
  })

  it('what cannot be read and may fit is told once', async () => {
    for (const criteria of [
      { effect: 'allow', outcome: 'error' },
      { effect: 'allow', outcome: 'success' },
    ]) {
      const told: number[] = []
      await withReader([...lines, '{"outcome":{"status":"error"}, "success"'], async (reader) => {
        for await (const _ of select(reader, criteria, { onUnreadable: (position) => told.push(position) }));
      })
      expect(told).toEqual([6])
    }
  })
})

describe('times are those of the record', () => {
  it('a call that was approved late is found when it was recorded', async () => {
    // `late` was created before `quick`, but recorded after it.
    const [late, quick] = [decisionDraft(1), decisionDraft(2)]
    const moments = [2, 60_000, 61_000]
    const clock = (): Date => new Date(momentAt(moments.shift() ?? 61_000))
    const drafts = [quick, late, outcomeDraft(late)].map((draft) => encodeDraft(draft))
    const { entries } = await linkBatch(drafts, EMPTY_HEAD, { signer: null, clock })
    const content = entries.map(({ line }) => line)
    expect(await find({ start: momentAt(30_000) }, content)).toEqual([2, 3])
    expect(await find({ end: momentAt(30_000) }, content)).toEqual([1])
    expect(await find({ start: momentAt(60_001) }, content)).toEqual([3])
  })

  it('entries of SudoAgent for Python have the time of creation alone', async () => {
    const { recorded_at: _, ...entry } = JSON.parse(lines[0] ?? '{}')
    const line = JSON.stringify(entry)
    expect(await find({ start: momentAt(1), end: momentAt(1) }, [line])).toEqual([1])
    expect(await find({ start: momentAt(2) }, [line])).toEqual([])
  })
})
