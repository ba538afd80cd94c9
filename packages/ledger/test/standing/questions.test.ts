// Tests the rules of questions on ledgers that a writer without rules wrote: each rule that an entry breaks is a
// finding, and a chunk has the same result as its lines.
import { hashAuthority, hashDecisionFacts } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { describe, expect, it, test } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import { QuestionBook } from '../../src/standing/question-book.js'
import type { Report } from '../../src/verify/report.js'
import { verify } from '../../src/verify/verify.js'
import { EMPTY_STATE, type LogState } from '../../src/write/advance.js'
import { recover } from '../../src/write/recover.js'
import { decisionDraft, momentAt, requestIdOf } from '../fixtures/draft.js'
import { linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { answerTo, REQUIREMENT } from '../fixtures/question.js'
import { answer, asked, INVALID_QUESTIONS, linesOf, MINUTE, type Timed } from '../fixtures/question-ledger.js'
import { OWN_THREAD } from '../fixtures/ranges.js'
import { sealTexts } from '../fixtures/seal.js'

/** Reads by lines and by chunks, and compares the reports. */
async function reportOf(...entries: readonly Timed[]) {
  return reportOfLines(await linesOf(...entries))
}

async function reportOfLines(lines: readonly string[]) {
  const report = await verify(linesReader(lines), OWN_THREAD)
  for (const range of [1, 2, 100]) {
    const ranged = await verify(rangedReader(lines, range), OWN_THREAD)
    expect({ ...ranged, read_in_full: 0 }).toEqual({ ...report, read_in_full: 0 })
  }
  return report
}

const codesOf = ({ findings }: Report): string[] => findings.map(({ code, position }) => `${position} ${code}`)

const findingsOf = async (...entries: readonly Timed[]): Promise<string[]> => codesOf(await reportOf(...entries))

describe('a question', () => {
  test.each(INVALID_QUESTIONS)('with %s is not valid, and is not kept', async (_, change) => {
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
    expect(codesOf(report)).toEqual(['102 CONTROL_INVALID', '103 APPROVAL_NOT_ASKED'])
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

/** Seals these entries again, with a text of one line replaced. */
async function changedLines(entries: readonly Timed[], position: number, from: string, to: string): Promise<string[]> {
  const lines = await linesOf(...entries)
  expect(lines[position - 1]).toContain(from)
  return sealTexts(
    lines.map((line, n) => (n === position - 1 ? line.replace(from, to) : line)),
    null,
  )
}

describe('a number with more digits than a double has, as SudoAgent for Python writes them', () => {
  const LONG_ONE = '1.00000000000000000001'
  const LONG_ZERO = `0.${'0'.repeat(330)}1`

  test.each([
    [2, '"approvals":1', `"approvals":${LONG_ONE}`, ['2 CONTROL_INVALID', '3 APPROVAL_NOT_ASKED']],
    [2, '"redacted":0', `"redacted":${LONG_ZERO}`, ['2 CONTROL_INVALID', '3 APPROVAL_NOT_ASKED']],
    [3, '"approvals":1', `"approvals":${LONG_ONE}`, ['3 ASKED_MISMATCH']],
    [3, '"redacted":0', `"redacted":${LONG_ZERO}`, ['3 ASKED_MISMATCH']],
  ])('is not rounded: entry %i, %s', async (position, from, to, findings) => {
    const lines = await changedLines([[asked(1)], [answer(1)]], position, from, to)
    expect(codesOf(await reportOfLines(lines))).toEqual(findings)
    const before = lines.slice(0, position - 1).reduce(recovered, { state: EMPTY_STATE, book: new QuestionBook() })
    expect(() => recovered(before, lines[position - 1] ?? '')).toThrow(
      expect.objectContaining({ code: 'LEDGER_DAMAGED' }),
    )
  })

  it('may be an argument of the call', async () => {
    const lines = await linesOf([asked(1)], [answer(1)])
    const parameters = { args: [], kwargs: { amount: 1, to: 'customer 1' } }
    const { request_id, created_at, action, actor, decision } = answer(1)
    const facts = { requestId: request_id, decisionAt: created_at, policyHash: decision.policy_hash, action, actor }
    const hash = hashDecisionFacts(facts, encodeCanonical(parameters).replace('"amount":1', `"amount":${LONG_ONE}`))
    const changed = lines.map((line) =>
      line.replaceAll(decision.decision_hash, hash).replace('"amount":1', `"amount":${LONG_ONE}`),
    )
    expect(codesOf(await reportOfLines(sealTexts(changed, null)))).toEqual([])
  })
})

interface Recovered {
  readonly state: LogState
  readonly book: QuestionBook
}

/** The state of a writer that catches up with a line. */
function recovered({ state, book }: Recovered, line: string): Recovered {
  const { state: after, questions } = recover(state, Buffer.from(line), 'ledger', book)
  book.apply(questions)
  return { state: after, book }
}

describe('the microseconds of a time, which other writers record,', () => {
  const over = 6 * MINUTE
  const recordedAt = (time: string): string => `"recorded_at":"${time}"`

  it.each([
    ['000000', []],
    ['000001', ['4 APPROVAL_NOT_ASKED']],
    ['000999', ['4 APPROVAL_NOT_ASKED']],
  ])('count for whether a question has expired: %s', async (microseconds, findings) => {
    const denied = answer(1, 'deny', { state: 'expired' })
    const at = momentAt(over)
    const entries: Timed[] = [[asked(1)], [decisionDraft(2), over], [denied, over + 1]]
    const lines = await changedLines(entries, 3, recordedAt(at), recordedAt(`${at.slice(0, 20)}${microseconds}Z`))
    expect(codesOf(await reportOfLines(lines))).toEqual(findings)
  })

  it.each([
    [momentAt(1), '000001', ['2 CONTROL_INVALID']],
    [momentAt(1).replace('1000Z', '1001Z'), '000001', []],
    [momentAt(604_800_000).replace('000Z', '001Z'), '000000', ['2 CONTROL_INVALID']],
    [momentAt(604_800_000).replace('000Z', '001Z'), '000001', []],
  ])('count for the deadline %s, recorded at .%s', async (expires_at, microseconds, findings) => {
    const at = momentAt(0)
    const entries: Timed[] = [[asked(1, { expires_at })]]
    const lines = await changedLines(entries, 2, recordedAt(at), recordedAt(`${at.slice(0, 20)}${microseconds}Z`))
    expect(codesOf(await reportOfLines(lines))).toEqual(findings)
  })
})
