// Tests that receipt verification makes the same checks as `verify`. If `verify` rejects an entry of a call,
// verification of the call's receipt must also fail.

import { hexToBytes } from '@sudoagent/crypto/bytes'
import { createNoteSigner, encodeTlogProof, signCheckpoint } from '@sudoagent/crypto/note'
import { encodeReceipt, verifyReceipt } from '@sudoagent/crypto/receipt'
import { appendLeaf, EMPTY_FRONTIER, frontierRoot, inclusionProof, leafHash } from '@sudoagent/crypto/tree'
import { describe, expect, it } from 'vitest'
import type { FindingCode } from '../../src/entry/finding.js'
import { approvalOf, decisionDraft, momentAt, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { jsonlOf, verifyFile } from '../fixtures/ledger-file.js'
import { REQUIREMENT } from '../fixtures/question.js'
import { type Entry, entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'
import { CALL_CASES } from '../fixtures/spoiled/calls.js'
import { soundLines } from '../fixtures/spoiled/ledgers.js'

const SIGNER = testSigner(1)
const TRUST = { publicKeys: [testKey(1).publicKey] }
const ORIGIN = 'example.com/receipts'

/**
 * Creates a receipt for every decision in these lines, with its outcome and a signed checkpoint that covers all
 * lines.
 */
async function receiptsOf(lines: readonly string[]): Promise<string[]> {
  const nodes = new Map<string, Uint8Array>()
  let frontier = EMPTY_FRONTIER
  const entries = entriesOf(lines) as { event: string; entry_hash: string; decision: { decision_hash: string } }[]
  for (const entry of entries) {
    const step = appendLeaf(frontier, leafHash(hexToBytes(entry.entry_hash)))
    for (const { level, index, hash } of step.completed) nodes.set(`${level}/${index}`, hash)
    frontier = step.frontier
  }
  const checkpoint = await signCheckpoint(
    { origin: ORIGIN, size: lines.length, root: frontierRoot(frontier), extensions: [] },
    [createNoteSigner(ORIGIN, SIGNER)],
  )
  const partsOf = async (index: number) => {
    const hashes = await inclusionProof(index, lines.length, (level, at) => nodes.get(`${level}/${at}`) as Uint8Array)
    const proof = encodeTlogProof({ index, hashes, checkpoint, extra: null })
    return { position: index + 1, line: lines[index] ?? '', proof }
  }
  const texts: string[] = []
  for (const [index, { event, decision }] of entries.entries()) {
    if (event !== 'decision') continue
    const outcome = entries.findIndex(
      (other) => other.event === 'outcome' && other.decision.decision_hash === decision.decision_hash,
    )
    const parts = { ...(await partsOf(index)), outcome: outcome === -1 ? null : await partsOf(outcome) }
    texts.push(encodeReceipt(parts, { withEntry: true }))
  }
  return texts
}

const codesOf = (text: string): string[] => verifyReceipt(text, TRUST).findings.map(({ code }) => code)

/** Findings that depend on the whole ledger: whether an entry occurs twice, and whether every entry is signed. */
const OF_THE_WHOLE: readonly FindingCode[] = [
  'DECISION_DUPLICATE',
  'DECISION_UNKNOWN',
  'OUTCOME_DUPLICATE',
  'SIGNATURE_MISSING',
  'KEY_UNKNOWN',
]

const cases = CALL_CASES.filter(({ code, lines }) => lines !== undefined && !OF_THE_WHOLE.includes(code))

it.each(cases.map((one) => [one.code, one.how, one] as const))('%s, %s: a receipt shows it', async (_, _how, one) => {
  const lines = (await one.lines?.(await soundLines())) as string[]
  const broken: string[][] = []
  for (const entries of [lines]) {
    // A receipt cannot contain a signature that is not base64.
    const texts = await receiptsOf(entries).catch(() => null)
    broken.push(...(texts ?? ['']).map(codesOf))
  }
  expect(broken.flat()).not.toEqual([])
})

it('the sound ledger of those cases has sound receipts', async () => {
  for (const text of await receiptsOf(await soundLines())) expect(codesOf(text)).toEqual([])
})

const call = decisionDraft(1)
const approved = { ...call, approval: approvalOf(call) }

/** Returns the lines of a decision and its outcome, after an attacker with the key changed one of the two lines. */
async function changedCall(position: 1 | 2, change: Entry): Promise<string[]> {
  const lines = await writtenLines([approved, outcomeDraft(call)], SIGNER)
  const merge = (old: unknown, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...(old as Entry), ...value } : value
  const entries = entriesOf(lines).map((entry, n) => {
    if (n !== position - 1) return entry
    const changed = Object.entries(change).map(([name, value]) => [name, merge(entry[name], value)] as const)
    return { ...entry, ...Object.fromEntries(changed) }
  })
  // `undefined` removes a member.
  return sealAll(JSON.parse(JSON.stringify(entries)) as Entry[], () => SIGNER)
}

describe('an entry of the wrong shape is refused by both', () => {
  it.each<[string, 1 | 2, Entry]>([
    ['a creation time without a time zone', 1, { created_at: '2026-01-02T03:04:05' }],
    ['a recording time in another form', 1, { recorded_at: '2026-01-02T03:04:05Z' }],
    ['a recording time on 30 February', 2, { recorded_at: '2026-02-30T03:04:05.000000Z' }],
    ['an action of 257 characters', 1, { action: 'a'.repeat(257) }],
    ['an empty agent', 2, { agent_id: '' }],
    ['a reason of 4,097 characters', 1, { decision: { reason: 'r'.repeat(4097) } }],
    ['a version that is a number', 1, { decision: { policy_version: 2 } }],
    ['no reason code', 1, { decision: { reason_code: undefined } }],
    ['metadata that is a list', 1, { metadata: [] }],
    ['a null actor', 1, { actor: null }],
    [
      'a negative cost',
      1,
      { budget: { budget_key: null, agent_id: 'a', action: 'a', cost: -1, window_seconds: 1, checked: true } },
    ],
    ['a third member of parameters', 1, { parameters: { more: {} } }],
    ['arguments that are an object', 2, { parameters: { args: {} } }],
    ['an approval without an approver', 1, { approval: { approver_id: undefined } }],
    ['an approval whose time is a number', 1, { approval: { resolved_at: 7 } }],
    ['an approval without binding', 1, { approval: { binding: undefined } }],
    ['a binding without a request', 1, { approval: { binding: { policy_hash: 'x', decision_hash: 'x' } } }],
    ['a null key id', 1, { key_id: null }],
    ['a status of its own', 2, { outcome: { status: 'maybe' } }],
    ['an error that is an object', 2, { outcome: { error: {} } }],
    ['an outcome without a decision', 2, { decision: null }],
    ['another version of the ledger', 2, { ledger_version: '2.1' }],
    ['an approval that is a text', 1, { approval: 'yes' }],
    ['a requirement that is null', 1, { approval: { requirement: null } }],
    ['a requirement without a number of redacted values', 1, { approval: { requirement: REQUIREMENT } }],
    [
      'a requirement with a member of its own',
      1,
      { approval: { requirement: { ...REQUIREMENT, more: 1 }, redacted: 0, approval_id: call.request_id } },
    ],
    ['a requirement under an approval id of its own', 1, { approval: { requirement: REQUIREMENT, redacted: 0 } }],
  ])('%s', async (_, position, change) => {
    const lines = await changedCall(position, change)
    expect((await verifyFile(jsonlOf(lines), TRUST)).verdict).toBe('broken')
    const [text] = await receiptsOf(lines).catch(() => [''])
    expect(codesOf(text ?? '')).not.toEqual([])
  })
})

describe('the deadline of an approval', () => {
  it.each<[string, Entry, string, 'late' | 'in time']>([
    ['resolved at the deadline', { resolved_at: momentAt(310_000) }, momentAt(310_000), 'in time'],
    ['recorded within the grace', {}, momentAt(370_000), 'in time'],
    ['resolved one millisecond after it', { resolved_at: momentAt(310_001) }, momentAt(310_002), 'late'],
    ['recorded one millisecond after the grace', {}, momentAt(370_001), 'late'],
    ['a deadline that is a date', { expires_at: '2026-01-02' }, momentAt(20), 'late'],
    ['a deadline with an offset', { expires_at: '2026-01-02T03:09:15.000000+00:00' }, momentAt(20), 'late'],
    ['an answer at an unreadable time', { resolved_at: 'soon' }, momentAt(20), 'late'],
  ])('%s: verify and the receipt agree', async (_, change, recordedAt, expected) => {
    const lines = await changedCall(1, { approval: change, recorded_at: recordedAt })
    const sealed = sealAll(
      entriesOf(lines).map((entry) => ({ ...entry, recorded_at: recordedAt })),
      () => SIGNER,
    )
    const codes = expected === 'late' ? ['APPROVAL_EXPIRED'] : []
    expect((await verifyFile(jsonlOf(sealed), TRUST)).findings.map(({ code }) => code)).toEqual(codes)
    const [text = ''] = await receiptsOf(sealed)
    expect(codesOf(text)).toEqual(codes)
  })
})
