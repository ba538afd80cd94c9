// Tests the rules of questions on ledgers that a writer without rules wrote: each rule that an entry breaks is a
// finding, and a chunk has the same result as its lines.
import { hashAuthority } from '@sudoagent/crypto/entry'
import { describe, expect, it, test } from 'vitest'
import type { Asked } from '../../src/authority/question.js'
import type { ControlDraft } from '../../src/entry/control.js'
import type { ApprovalBlock, EntryDraft } from '../../src/entry/entry.js'
import { EMPTY_HEAD } from '../../src/port/writer.js'
import { verify } from '../../src/verify/verify.js'
import { encodeDraft } from '../../src/write/encode-draft.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { decisionDraft, EPOCH_MS, momentAt, requestIdOf } from '../fixtures/draft.js'
import { linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { answerTo, REQUIREMENT } from '../fixtures/question.js'
import { OWN_THREAD } from '../fixtures/ranges.js'

const MINUTE = 60_000

/** An entry, and the time at which it is recorded. */
type Timed = readonly [draft: EntryDraft | ControlDraft, recordedMs?: number]

const genesis: ControlDraft = {
  event: 'checkpoint',
  created_at: momentAt(0),
  checkpoint: {
    kind: 'genesis',
    ledger_id: 'l',
    origin: null,
    entries_signed: false,
    keys: [],
    software: { name: 's', version: '1' },
  },
}

async function linesOf(...entries: readonly Timed[]): Promise<string[]> {
  const lines: string[] = []
  let head = EMPTY_HEAD
  for (const [draft, recordedMs = 0] of [[genesis] as Timed, ...entries]) {
    const clock = () => new Date(EPOCH_MS + recordedMs)
    const { entries: linked } = await linkBatch([encodeDraft(draft)], head, { signer: null, clock }, () => null)
    const [entry] = linked
    if (entry === undefined) throw new TypeError('nothing was linked')
    head = { size: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt }
    lines.push(entry.line)
  }
  return lines
}

/** Reads by lines and by chunks, and compares the reports. */
async function reportOf(...entries: readonly Timed[]) {
  const lines = await linesOf(...entries)
  const report = await verify(linesReader(lines), OWN_THREAD)
  for (const range of [1, 2, 100]) {
    const ranged = await verify(rangedReader(lines, range), OWN_THREAD)
    expect({ ...ranged, read_in_full: 0 }).toEqual({ ...report, read_in_full: 0 })
  }
  return report
}

const findingsOf = async (...entries: readonly Timed[]): Promise<string[]> =>
  (await reportOf(...entries)).findings.map(({ code, position }) => `${position} ${code}`)

/** The block of a question about decision `n`, which expires five minutes after the epoch. */
function blockOf(n: number, change: object = {}): Asked {
  const { decision, ...draft } = decisionDraft(n)
  return {
    kind: 'asked',
    approval_id: draft.request_id,
    request_id: draft.request_id,
    decision_at: draft.created_at,
    decision_hash: decision.decision_hash,
    authority_hash: null,
    policy_hash: decision.policy_hash,
    action: draft.action,
    agent_id: draft.agent_id,
    requirement: REQUIREMENT,
    redacted: 0,
    expires_at: momentAt(5 * MINUTE),
    ...change,
  }
}

const asked = (n: number, change: object = {}): ControlDraft => ({
  event: 'checkpoint',
  created_at: momentAt(0),
  checkpoint: blockOf(n, change),
})

function answer(n: number, effect: 'allow' | 'deny' = 'allow', change: Partial<ApprovalBlock> = {}): EntryDraft {
  const decision = decisionDraft(n, { effect })
  return answerTo(decision, { expiresAt: momentAt(5 * MINUTE), recordedAt: momentAt(0) }, change)
}

describe('a question', () => {
  test.each<[string, object]>([
    ['another approval id', { approval_id: requestIdOf(2) }],
    ['no request id', { request_id: '', approval_id: '' }],
    ['a request id that is too long', { request_id: 'r'.repeat(129), approval_id: 'r'.repeat(129) }],
    ['a time of the decision that is none', { decision_at: 'today' }],
    ['no hash', { decision_hash: 'x' }],
    ['an authority without its hash', { authority: { tenant: 't' } }],
    ['a hash without an authority', { authority_hash: hashAuthority({ tenant: 't' }) }],
    ['an authority that is not valid', { authority: {}, authority_hash: null }],
    ['no action', { action: '' }],
    ['an agent whose name is too long', { agent_id: 'a'.repeat(257) }],
    [
      'a requirement of two approvals by anybody',
      { requirement: { ...REQUIREMENT, factors: [{ group: null, approvals: 2 }] } },
    ],
    ['a requirement with more members', { requirement: { ...REQUIREMENT, more: 1 } }],
    [
      'a registry that is not in force',
      { requirement: { ...REQUIREMENT, assurance: 'signed', registry_hash: 'a'.repeat(64) } },
    ],
    ['a number that is none', { redacted: -1 }],
    ['a commitment that is none', { commitment: { key_id: 'k' } }],
    ['a deadline that is none', { expires_at: 'tomorrow' }],
    ['a deadline at its own time', { expires_at: momentAt(0) }],
    ['a deadline before it', { expires_at: momentAt(-1) }],
    ['a deadline after 7 days', { expires_at: momentAt(604_800_001) }],
    ['a deadline in 9999', { expires_at: '9999-12-31T23:59:59.999999Z' }],
    ['more than 64 KiB', { more: 'x'.repeat(64 * 1024) }],
  ])('with %s is not valid, and is not kept', async (_, change) => {
    expect(await findingsOf([asked(1, change)], [answer(1)])).toEqual(['2 CONTROL_INVALID', '3 APPROVAL_NOT_ASKED'])
  })

  it('with an authority, a commitment, and members of a later release is kept', async () => {
    const commitment = { key_id: '0'.repeat(16), hmac: '1'.repeat(64) }
    const authority = { tenant: 't' }
    const question = asked(1, { authority, authority_hash: hashAuthority(authority), commitment, more: 1 })
    expect(await findingsOf([question], [{ ...answer(1), authority, commitment }])).toEqual([])
  })

  it('is a duplicate while it is open, and behind a decision of its request', async () => {
    expect(await findingsOf([asked(1)], [asked(1)], [answer(1)])).toEqual(['3 ASKED_DUPLICATE'])
    expect(await findingsOf([asked(1)], [answer(1)], [asked(1)])).toEqual(['4 ASKED_DUPLICATE'])
    expect(await findingsOf([decisionDraft(1)], [asked(1)])).toEqual(['3 ASKED_DUPLICATE'])
  })

  it('may be asked again when it has expired', async () => {
    const later = { expires_at: momentAt(12 * MINUTE) }
    const report = await reportOf([asked(1)], [decisionDraft(2), 6 * MINUTE + 1], [asked(1, later), 7 * MINUTE])
    expect(report).toMatchObject({ ok: true, questions: { open: 1, expired: 1 } })
  })

  it('is one of at most 100 of an agent, and of 10,000 of the ledger', async () => {
    const hundred = Array.from({ length: 101 }, (_, n): Timed => [asked(n)])
    const report = await reportOf(...hundred, [answer(100)], [answer(0)], [asked(200)])
    expect(report.findings.map(({ code, position }) => `${position} ${code}`)).toEqual([
      '102 CONTROL_INVALID',
      '103 APPROVAL_NOT_ASKED',
    ])
    expect(report.questions).toEqual({ open: 100, expired: 0 })
    const many = Array.from({ length: 10_001 }, (_, n): Timed => [asked(n, { agent_id: `agent ${n % 101}` })])
    const { findings } = await verify(linesReader(await linesOf(...many)), OWN_THREAD)
    expect(findings).toMatchObject([{ code: 'CONTROL_INVALID', position: 10_002 }])
  })
})

describe('a decision', () => {
  test.each<[string, EntryDraft]>([
    ['approval_id', answer(1, 'allow', { approval_id: 'another' })],
    ['authority_hash', { ...answer(1), authority: { tenant: 't' } }],
    ['requirement', answer(1, 'allow', { requirement: { ...REQUIREMENT, rule: null } })],
    ['expires_at', answer(1, 'allow', { expires_at: momentAt(5 * MINUTE + 1) })],
    ['agent_id', { ...answer(1), agent_id: 'another' }],
    ['redacted', answer(1, 'allow', { redacted: 1 })],
    ['commitment', { ...answer(1), commitment: { key_id: '0'.repeat(16), hmac: '1'.repeat(64) } }],
    [
      'decision_hash',
      {
        ...answerTo(decisionDraft(2, { requestId: requestIdOf(1) }), {
          expiresAt: momentAt(5 * MINUTE),
          recordedAt: momentAt(0),
        }),
      },
    ],
  ])('that differs from its question in %s is a mismatch, whether it allows or not', async (member, draft) => {
    for (const effect of ['allow', 'deny'] as const) {
      const { findings } = await reportOf([asked(1)], [{ ...draft, decision: { ...draft.decision, effect } }])
      expect(findings).toEqual([
        expect.objectContaining({ code: 'ASKED_MISMATCH', position: 3, message: expect.stringContaining(member) }),
      ])
    }
  })

  it('without the requirement of its open question is a mismatch, and closes it', async () => {
    expect(await findingsOf([asked(1)], [decisionDraft(1)], [answer(1)])).toEqual([
      '3 ASKED_MISMATCH',
      '4 APPROVAL_NOT_ASKED',
      '4 DECISION_DUPLICATE',
    ])
  })

  it.each(['allow', 'deny'] as const)('with a requirement that was not asked for is found: %s', async (effect) => {
    expect(await findingsOf([answer(1, effect)])).toEqual(['2 APPROVAL_NOT_ASKED'])
  })

  it('is in time until an entry before it is more than a minute after the deadline', async () => {
    const expired = { state: 'expired' }
    const [atEnd, over] = [6 * MINUTE, 6 * MINUTE + 1]
    expect(await findingsOf([asked(1)], [answer(1), atEnd])).toEqual([])
    expect(await findingsOf([asked(1)], [answer(1), over])).toEqual(['3 APPROVAL_EXPIRED'])
    expect(await findingsOf([asked(1)], [answer(1, 'deny', expired), over])).toEqual([])
    expect(await findingsOf([asked(1)], [decisionDraft(2), over], [answer(1, 'deny', expired), over])).toEqual([
      '4 APPROVAL_NOT_ASKED',
    ])
    // A refusal, an expiry and an allow in one millisecond: the first one counts.
    expect(await findingsOf([asked(1)], [answer(1, 'deny'), atEnd], [answer(1), atEnd])).toEqual([
      '4 APPROVAL_NOT_ASKED',
      '4 DECISION_DUPLICATE',
    ])
  })

  it('behind a question of a request id that is not a UUID is judged alike', async () => {
    const decision = decisionDraft(1, { requestId: 'r-1' })
    const question = asked(1, {
      request_id: 'r-1',
      approval_id: 'r-1',
      decision_hash: decision.decision.decision_hash,
    })
    const at = { expiresAt: momentAt(5 * MINUTE), recordedAt: momentAt(0) }
    expect(await findingsOf([question], [answerTo(decision, at)])).toEqual([])
    expect(await findingsOf([question], [decision])).toEqual(['3 ASKED_MISMATCH'])
  })
})

it('questions and answers are read in chunks: only control entries are read in full', async () => {
  const calls = Array.from({ length: 30 }, (_, n): Timed[] => [[asked(n)], [answer(n)]]).flat()
  const lines = await linesOf(...calls)
  const report = await verify(rangedReader(lines, 10), OWN_THREAD)
  expect(report).toMatchObject({ ok: true, read_in_full: 31, approvals: { asserted: 30, redacted: 0 } })
})
