// Tests the contract of all stores for questions: each is answered once, by a decision that carries its requirement.
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { LedgerError } from '../../src/error.js'
import type { AskedQuestion, LedgerWriter, Question } from '../../src/port/writer.js'
import { decisionDraft, EPOCH_MS, momentAt, outcomeDraft } from '../fixtures/draft.js'
import { answerTo, askable, questionOf, REQUIREMENT, TTL_MS } from '../fixtures/question.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Place, report } from './contract-place.js'

/** A clock that does not move until it is set. */
export function handClock(): { readonly clock: () => Date; at(offsetMs: number): void } {
  let ms = EPOCH_MS
  return {
    clock: () => new Date(ms),
    at(offsetMs) {
      ms = EPOCH_MS + offsetMs
    },
  }
}

export async function ask(ledger: LedgerWriter, question: Question, once = false): Promise<AskedQuestion> {
  if (ledger.ask === undefined) throw new TypeError('the ledger takes no questions')
  return await ledger.ask(question, { once })
}

/** The refusal, by its members: a store of another package may throw an error of its own copy of the class. */
export async function errorOf(work: () => Promise<unknown>): Promise<Pick<LedgerError, 'code' | 'recorded'>> {
  const error = await work().then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Error && error.name === 'LedgerError') return error as LedgerError
  throw new TypeError('the ledger did not refuse it', { cause: error })
}

/** Runs the contract tests on stores from `makePlace`. */
export function testQuestions(makePlace: () => Place): void {
  describe('questions', () => {
    it('records a question with a deadline that the ledger sets, and takes its answer once', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      const { decision, question } = askable(1)
      const asked = await ask(ledger, question)
      expect(asked).toMatchObject({ position: 2, recordedAt: momentAt(0), expiresAt: momentAt(TTL_MS) })
      expect(await report(place)).toMatchObject({ ok: true, questions: { open: 1, expired: 0 } })
      const answer = answerTo(decision, asked)
      await ledger.append(answer)
      await ledger.append(outcomeDraft(answer))
      const again = await errorOf(() => ledger.append(answer))
      expect(again).toMatchObject({ code: 'QUESTION_CLOSED', recorded: { position: 3, effect: 'allow' } })
      const deny = { ...answer, decision: { ...answer.decision, effect: 'deny' as const } }
      expect(await refusalOf(() => ledger.append(deny))).toBe('QUESTION_CLOSED')
      await ledger.close()
      expect(await report(place)).toMatchObject({
        ok: true,
        entries: 4,
        questions: { open: 0, expired: 0 },
        approvals: { asserted: 1, redacted: 0 },
      })
    })

    it('identifies the ledger by the hash of its first entry, also when it is the first to write', async () => {
      const place = makePlace()
      const ledger = place.open()
      const { ledger: first } = await ask(ledger, askable(1).question)
      const { ledger: second } = await ask(ledger, askable(2).question)
      await ledger.close()
      const reader = await place.read()
      const line = await reader.lineAt(1)
      await reader.close()
      expect(JSON.parse(Buffer.from(line?.bytes ?? []).toString())).toMatchObject({ entry_hash: first })
      expect(second).toBe(first)
    })

    it.each<[string, (decision: EntryDraft, asked: AskedQuestion) => EntryDraft]>([
      ['approval_id', (decision, asked) => answerTo(decision, asked, { approval_id: 'another' })],
      ['authority_hash', (decision, asked) => ({ ...answerTo(decision, asked), authority: { tenant: 'u' } })],
      ['requirement', (decision, asked) => answerTo(decision, asked, { requirement: { ...REQUIREMENT, rule: null } })],
      ['expires_at', (decision, asked) => answerTo(decision, asked, { expires_at: momentAt(TTL_MS - 1) })],
      ['agent_id', (decision, asked) => ({ ...answerTo(decision, asked), agent_id: 'another' })],
      ['redacted', (decision, asked) => answerTo(decision, asked, { redacted: 1 })],
      [
        'no redacted',
        (decision, { expiresAt, recordedAt }) => {
          const { redacted: _, ...approval } = answerTo(decision, { expiresAt, recordedAt }).approval as never as {
            redacted: number
          }
          return { ...decision, approval: approval as never }
        },
      ],
      [
        'commitment',
        (decision, asked) => ({
          ...answerTo(decision, asked),
          commitment: { key_id: '0'.repeat(16), hmac: '0'.repeat(64) },
        }),
      ],
      ['decision_hash', (decision, asked) => answerTo(decisionDraft(2, { requestId: decision.request_id }), asked)],
      ['no requirement', (decision) => decision],
      [
        'an approval of the older form',
        (decision, asked) => {
          const {
            redacted: _,
            requirement: __,
            ...approval
          } = answerTo(decision, asked).approval as never as {
            redacted: number
            requirement: unknown
          }
          return { ...decision, approval: approval as never }
        },
      ],
    ])('refuses a decision that differs from its question: %s', async (_, change) => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision, question } = askable(1)
      const asked = await ask(ledger, question)
      expect(await refusalOf(() => ledger.append(change(decision, asked)))).toBe('ENTRY_REFUSED')
      // The question is still open.
      await ledger.append(answerTo(decision, asked))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 3 })
    })

    it('refuses an approval that was not asked, and one of which only the question is missing', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision } = askable(1)
      const asked = { expiresAt: momentAt(TTL_MS), recordedAt: momentAt(0) }
      const error = await errorOf(() => ledger.append(answerTo(decision, asked)))
      expect(error).toMatchObject({ code: 'QUESTION_CLOSED', recorded: null })
      await ledger.close()
    })

    it('takes the answer up to a minute after the deadline, and then none', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      const [first, second, third] = [askable(1), askable(2), askable(3)]
      const [a, b, c] = [
        await ask(ledger, first.question),
        await ask(ledger, second.question),
        await ask(ledger, third.question),
      ]
      time.at(TTL_MS + 60_000)
      await ledger.append(answerTo(first.decision, a))
      time.at(TTL_MS + 60_001)
      // The entry before is still in time, so the question is open: it can be denied, but not be allowed.
      expect(await refusalOf(() => ledger.append(answerTo(second.decision, b)))).toBe('ENTRY_REFUSED')
      const deny = { ...second.decision, decision: { ...second.decision.decision, effect: 'deny' as const } }
      await ledger.append(answerTo(deny, b, { state: 'expired' }))
      const late = await errorOf(() => ledger.append(answerTo(third.decision, c)))
      expect(late).toMatchObject({ code: 'QUESTION_CLOSED', recorded: null })
      // The call may be asked about again, or be decided without a question.
      await ask(ledger, third.question)
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, questions: { open: 1, expired: 1 } })
    })

    it('refuses more than 7 days, and takes 1 ms to 7 days', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision } = askable(1)
      for (const ttlMs of [0, -1, 0.5, Number.NaN, 604_800_001])
        await expect(ask(ledger, questionOf(decision, { ttlMs }))).rejects.toThrow(RangeError)
      await ask(ledger, questionOf(decision, { ttlMs: 604_800_000 }))
      await ask(ledger, questionOf(decisionDraft(2), { ttlMs: 1 }))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, questions: { open: 2, expired: 0 } })
    })

    it('sets the deadline by ledger time, whatever the decision says of its time', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { question } = askable(1, { createdAt: '9999-12-31T23:59:59.999999Z' })
      expect(await ask(ledger, question)).toMatchObject({ expiresAt: momentAt(TTL_MS) })
      await ledger.close()
    })

    it('asks nothing while the ledger time is more than a minute ahead', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      time.at(60_000)
      await ledger.append(decisionDraft(1))
      time.at(-1)
      expect(await refusalOf(() => ask(ledger, askable(2).question))).toBe('CLOCK_BEHIND_LEDGER')
      time.at(0)
      expect(await ask(ledger, askable(2).question)).toMatchObject({ expiresAt: momentAt(60_000 + TTL_MS) })
      await ledger.close()
    })

    it('takes a request id and an agent that look like a hash, or are as long as they may be', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      for (const [requestId, agent] of [
        ['a'.repeat(64), 'b'.repeat(64)],
        ['\u{1f600}'.repeat(64), '\u0000'.repeat(256)],
      ] as const) {
        const { decision, question } = askable(1, { requestId, more: { agent_id: agent } })
        await ledger.append(answerTo(decision, await ask(ledger, question)))
      }
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 5, questions: { open: 0, expired: 0 } })
    })

    it('asks nothing in the last days that a timestamp can express', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: () => new Date(Date.UTC(9999, 11, 31)) })
      const week = questionOf(decisionDraft(1), { ttlMs: 604_800_000 })
      expect(await refusalOf(() => ask(ledger, week))).toBe('ENTRY_REFUSED')
      await ledger.close()
    })

    it('asks nothing under a stop, and takes no allow behind it', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision, question } = askable(1)
      const asked = await ask(ledger, question)
      await ledger.stop({ action: 'payments.*' }, { reason: '', by: 'alice' })
      expect(await refusalOf(() => ask(ledger, askable(2).question))).toBe('STOPPED')
      expect(await refusalOf(() => ledger.append(answerTo(decision, asked)))).toBe('STOPPED')
      const deny = { ...decision, decision: { ...decision.decision, effect: 'deny' as const } }
      await ledger.append(answerTo(deny, asked, { state: 'failed' }))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, questions: { open: 0, expired: 0 } })
    })

    it('takes 100 open questions of one agent, and those of others besides', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      await Promise.all(Array.from({ length: 100 }, (_, n) => ask(ledger, askable(n).question)))
      expect(await refusalOf(() => ask(ledger, askable(100).question))).toBe('QUESTIONS_FULL')
      await ask(ledger, askable(101, { more: { agent_id: 'another' } }).question)
      time.at(TTL_MS + 60_001)
      await ledger.append(decisionDraft(102))
      await ask(ledger, askable(100).question)
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, questions: { open: 1, expired: 101 } })
    })
  })
}

/** Contract tests for stores that outlive their writer. */
export function testDurableQuestions(makePlace: () => Place): void {
  it('a question is open after the ledger was closed and opened again, and closed likewise', async () => {
    const place = makePlace()
    const time = handClock()
    const first = place.open({ clock: time.clock })
    const [one, two] = [askable(1), askable(2)]
    const asked = await ask(first, one.question)
    const later = await ask(first, two.question)
    await first.close()
    const second = place.open({ clock: time.clock })
    expect(await refusalOf(() => second.append(one.decision))).toBe('ENTRY_REFUSED')
    expect(await refusalOf(() => ask(second, one.question))).toBe('ENTRY_REFUSED')
    expect(await refusalOf(() => ask(second, one.question, true))).toBe('CALL_DECIDED')
    await second.append(answerTo(one.decision, asked))
    await second.close()
    const third = place.open({ clock: time.clock })
    expect(await refusalOf(() => third.append(answerTo(one.decision, asked)))).toBe('QUESTION_CLOSED')
    await third.append(answerTo(two.decision, later))
    await third.close()
    expect(await report(place)).toMatchObject({ ok: true, entries: 5, questions: { open: 0, expired: 0 } })
  })
}

/** Contract tests for stores with several writers. */
export function testSharedQuestions(makePlace: () => Place): void {
  it('two writers, one answer: the second one is told what stands', async () => {
    const place = makePlace()
    const [one, two] = [place.open(), place.open()]
    const pairs = Array.from({ length: 8 }, (_, n) => askable(n))
    for (const { decision, question } of pairs) {
      const asked = await ask(one, question)
      const deny = { ...decision, decision: { ...decision.decision, effect: 'deny' as const } }
      const results = await Promise.allSettled([
        one.append(answerTo(decision, asked)),
        two.append(answerTo(deny, asked, { state: 'denied' })),
      ])
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      const refused = results.find((result) => result.status === 'rejected')?.reason as LedgerError
      expect(refused.code).toBe('QUESTION_CLOSED')
      expect(refused.recorded?.position).toBe(asked.position + 1)
    }
    await Promise.all([one.close(), two.close()])
    expect(await report(place)).toMatchObject({ ok: true, decisions: 8, questions: { open: 0, expired: 0 } })
  })
}
