// Receipts of control entries: stops, their ends, questions, and others.
import { describe, expect, test } from 'vitest'
import { encodeCanonical } from '../../src/json/encode.js'
import { controlRows } from '../../src/receipt/control-content.js'
import { receiptProves } from '../../src/receipt/meaning.js'
import { encodeReceipt, parseReceipt } from '../../src/receipt/receipt.js'
import { verifyReceipt } from '../../src/receipt/verify.js'
import { broken, changed, TRUST, verified } from '../fixtures/receipt-verdicts.js'
import {
  ASKED,
  controlReceipt,
  decisionLine,
  KEY,
  outcomeLine,
  POLICY,
  RESUME,
  SampleLog,
  STOP,
  WITNESSES,
} from '../fixtures/receipts.js'

const GENESIS = { kind: 'genesis', ledger_id: 'l', origin: null, entries_signed: true, keys: [], software: {} }

describe('the receipt of a control entry', () => {
  test.each([
    ['stop', STOP],
    ['resume', RESUME],
    ['asked', ASKED],
  ])('%s: is verified, and shows the entry', async (kind, block) => {
    const report = verified(await controlReceipt(block))
    expect(report).toMatchObject({
      verdict: 'signed',
      position: 2,
      entry_signature: 'verified',
      decision: null,
      outcome: null,
      control: { kind, block, recorded_at: '2026-11-22T20:18:30.054069Z', key_id: KEY.keyId },
    })
  })

  test('of another kind is verified, and only shown', async () => {
    for (const [block, kind] of [
      [GENESIS, 'genesis'],
      [{ kind: 'grant' }, 'grant'],
      [{ kind: 7 }, null],
      [null, null],
    ] as const) {
      const { control } = verified(await controlReceipt(block))
      expect(control).toMatchObject({ kind, block: null })
      expect(control && controlRows(control)).toEqual([['content', encodeCanonical(block)]])
    }
    const { control } = verified(await controlReceipt(undefined))
    expect(control && controlRows(control)).toEqual([['content', 'none']])
  })

  test('with witnesses', async () => {
    const receipt = await controlReceipt(STOP, { witnesses: WITNESSES })
    expect(verified(receipt, { ...TRUST, witnessPolicy: POLICY }).verdict).toBe('witnessed')
  })

  test('without the content, only its hash is proven', async () => {
    const receipt = await controlReceipt(STOP, { withEntry: false })
    expect(Object.keys(JSON.parse(receipt))).toEqual([
      'ledger_position',
      'schema_version',
      'ledger_version',
      'event',
      'entry_hash',
      'entry_signature',
      'proof',
    ])
    const report = verified(receipt)
    expect(report).toMatchObject({ control: null, unproven: ['event'] })
    expect(receiptProves(report).proven[0]).toMatch(/^an entry with the hash [0-9a-f]{64} is entry 2 of the log /)
  })
})

describe('is refused', () => {
  const EARLY = { ...ASKED, expires_at: '2026-11-22T20:18:30.055068Z' }
  const LATE = { ...ASKED, expires_at: '2026-11-29T20:18:30.054070Z' }

  test.each<[string, unknown]>([
    ['a stop of nothing', { ...STOP, scope: {} }],
    ['a stop with an unknown member in its scope', { ...STOP, scope: { agent: 'a', region: 'eu' } }],
    ['a stop by nobody', { ...STOP, by: '' }],
    ['a resume without an id', { ...RESUME, stop_id: undefined }],
    ['a resume without a reason', { ...RESUME, reason: null }],
    ['a question under another approval id', { ...ASKED, approval_id: 'other' }],
    ['a question of another authority', { ...ASKED, authority: { tenant: 'acme' } }],
    ['a question with another requirement', { ...ASKED, requirement: { ...ASKED.requirement, more: 1 } }],
    ['a question with half a redacted value', { ...ASKED, redacted: 0.5 }],
    ['a question without time to answer it', EARLY],
    ['a question of more than seven days', LATE],
  ])('%s', async (_, block) => {
    const text = await controlReceipt(JSON.parse(JSON.stringify(block)))
    expect(broken(text)).toEqual(['RECEIPT_INVALID'])
    expect(verifyReceipt(text, TRUST).control).toBeNull()
  })

  test('a question with a number that would be rounded', async () => {
    const nearly = 'exact:1.00000000000000000001'
    for (const change of [
      { redacted: nearly },
      { requirement: { ...ASKED.requirement, factors: [{ group: null, approvals: nearly }] } },
    ])
      expect(broken(await controlReceipt({ ...ASKED, ...change }))).toEqual(['RECEIPT_INVALID'])
  })

  test('a stop without a creation time, a question without a recording time', async () => {
    expect(broken(await controlReceipt(STOP, { changes: { created_at: undefined } }))).toEqual(['RECEIPT_INVALID'])
    expect(broken(await controlReceipt(ASKED, { changes: { recorded_at: undefined } }))).toEqual(['RECEIPT_INVALID'])
  })

  test('a decision or an outcome as a control entry, and the reverse', async () => {
    const stop = JSON.parse(await controlReceipt(STOP))
    for (const line of [decisionLine(), outcomeLine()])
      expect(broken(JSON.stringify({ ...stop, entry: JSON.parse(line) }))).toContain('RECEIPT_INVALID')
    const log = new SampleLog([decisionLine(), decisionLine()])
    const call = encodeReceipt(await log.parts(2), { withEntry: true })
    expect(broken(changed(call, (r) => Object.assign(r, { entry: stop.entry })))).toContain('RECEIPT_INVALID')
  })

  test.each<[string, object]>([
    ['a request id', { request_id: 'r' }],
    ['an outcome', { outcome: null }],
    ['another event', { event: 'decision' }],
    ['no event', { event: undefined }],
    ['an event that is null', { event: null }],
    ['an event that is a number', { event: 7 }],
  ])('with %s', async (_, change) => {
    expect(broken(changed(await controlReceipt(STOP), (r) => Object.assign(r, change)))).toEqual(['RECEIPT_INVALID'])
  })

  test('a change of any member', async () => {
    const receipt = await controlReceipt(STOP)
    const codesAfter = (change: object): string[] => broken(changed(receipt, (r) => Object.assign(r, change)))
    const { entry } = JSON.parse(receipt)
    expect(codesAfter({ entry: { ...entry, recorded_at: '2026-11-22T20:18:31.054069Z' } })).toEqual([
      'ENTRY_HASH_MISMATCH',
    ])
    expect(codesAfter({ entry: { ...entry, checkpoint: { ...entry.checkpoint, by: 'mallory' } } })).toEqual([
      'ENTRY_HASH_MISMATCH',
    ])
    expect(codesAfter({ ledger_position: 3 })).toEqual(['PROOF_INVALID'])
    expect(codesAfter({ proof: null })).toEqual(['PROOF_MISSING'])
  })

  test('the encoder refuses an outcome of a control entry', async () => {
    const parts = { position: 2, line: parseReceipt(await controlReceipt(STOP)).line ?? '', proof: null }
    expect(() => encodeReceipt({ ...parts, outcome: parts }, { withEntry: true })).toThrow(/member/)
  })
})

describe('says what it proves', () => {
  const says = async (block: unknown) => {
    const { proven, notProven } = receiptProves(verified(await controlReceipt(block)))
    for (const sentence of [...proven, ...notProven]) expect(sentence).toMatch(/^[^\n]+[^.\n]$/)
    return { proven: proven.join('\n'), notProven: notProven.join('\n') }
  }

  test('of a stop', async () => {
    const { proven, notProven } = await says(STOP)
    expect(proven).toContain('this stop, exactly as shown, is entry 2 of the log')
    expect(proven).toContain('every call that the stop covers and that is allowed after entry 2')
    expect(notProven).toContain('that `alice` stopped the calls')
    expect(notProven).toContain('that no call was allowed after the stop')
    expect(notProven).toContain('that the stop is still open')
  })

  test('of the end of a stop', async () => {
    const { proven, notProven } = await says({ ...RESUME, by: 'a`b' })
    expect(proven).toContain('this end of a stop, exactly as shown,')
    expect(notProven).toContain("that `a'b` ended the stop")
    expect(notProven).toContain('that a stop with this id was open')
  })

  test('of a question', async () => {
    const { proven, notProven } = await says(ASKED)
    expect(proven).toContain('this question, exactly as shown,')
    expect(proven).toContain('reports every decision about the call that does not have its requirement')
    expect(notProven).toContain('contains only their hash')
    expect(notProven).toContain('whether and how the question was answered')
    expect(notProven).toContain('that an approver was notified')
  })

  test('of another kind', async () => {
    const { proven, notProven } = await says({ kind: 'gra`nt' })
    expect(proven).toContain("this control entry (`gra'nt`), exactly as shown,")
    expect(notProven).toContain('that the content is true')
    expect((await says({})).proven).toContain('this control entry, exactly as shown,')
  })
})

test('a question and a stop are rows for people', async () => {
  const rowsOf = async (block: unknown) => {
    const { control } = verified(await controlReceipt(block))
    return Object.fromEntries(control === null ? [] : controlRows(control))
  }
  expect(await rowsOf(STOP)).toEqual({
    covers: 'agent bot-*',
    reason: 'wrong prices',
    by: 'alice',
    'stop id': STOP.stop_id,
  })
  expect(await rowsOf(ASKED)).toEqual({
    request: ASKED.request_id,
    action: 'refund',
    agent: 'bot',
    rule: 'refunds',
    needs: '1 approval',
    redacted: '1 value is not shown as the call gets it',
    expires: ASKED.expires_at,
  })
})
