// Tests the contract of all stores for entries that a call has once: `once` drafts, outcomes by request id, and the
// list of calls without a decision.
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { AskedQuestion } from '../../src/port/writer.js'
import { decisionDraft, momentAt, outcomeDraft, requestIdOf } from '../fixtures/draft.js'
import { answerTo, askable } from '../fixtures/question.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Place, readAll, report } from './contract-place.js'
import { ask, errorOf, handClock } from './contract-questions.js'

/** Runs the contract tests on stores from `makePlace`. */
export function testOnce(makePlace: () => Place): void {
  describe('once', () => {
    it('lists the questions without a decision, in the order of their entries, also after it was opened again', async () => {
      const place = makePlace()
      const ledger = place.open()
      expect(await ledger.openQuestions?.()).toEqual([])
      const asked = [askable(3), askable(1), askable(2)]
      const deadlines: AskedQuestion[] = []
      for (const { question } of asked) deadlines.push(await ask(ledger, question))
      const ids = asked.map(({ question }) => question.requestId)
      expect(await ledger.openQuestions?.()).toEqual(ids)
      expect(await ledger.openQuestions?.({ among: [ids[1] ?? '', 'of no question'] })).toEqual([ids[1]])
      expect(await ledger.openQuestions?.({ among: [] })).toEqual([])
      const { agentId } = asked[0]?.question ?? expect.unreachable()
      expect(await ledger.openQuestions?.({ agentId })).toEqual(ids)
      expect(await ledger.openQuestions?.({ agentId, among: [ids[2] ?? ''] })).toEqual([ids[2]])
      expect(await ledger.openQuestions?.({ agentId: 'another' })).toEqual([])
      expect(await ledger.openQuestions?.({ agentId: 'another', among: ids })).toEqual([])
      const [first] = deadlines
      if (first === undefined) return expect.unreachable()
      await ledger.append(answerTo(asked[0]?.decision as EntryDraft, first))
      expect(await ledger.openQuestions?.()).toEqual(ids.slice(1))
      await ledger.close()
      const again = place.open()
      await again.begin?.()
      // A ledger in memory is empty again.
      expect(await again.openQuestions?.()).toEqual((await report(place)).entries > 1 ? ids.slice(1) : [])
      await again.close()
    })

    it('records a `once` question and a `once` decision of a request id once', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision, question } = askable(1)
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => ask(ledger, question, true)))
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', ...Array(7).fill('rejected')])
      const asked = (results[0] as PromiseFulfilledResult<AskedQuestion>).value
      expect(await errorOf(() => ask(ledger, question, true))).toMatchObject({
        code: 'CALL_DECIDED',
        recorded: { position: 2, effect: null },
      })
      await ledger.append(answerTo(decision, asked), { once: true })
      for (const attempt of [
        () => ask(ledger, question, true),
        () => ledger.append(decision, { once: true }),
        () => ledger.append(answerTo(decision, asked), { once: true }),
      ])
        expect(await errorOf(attempt)).toMatchObject({
          code: 'CALL_DECIDED',
          recorded: { position: 3, effect: 'allow' },
        })
      const plain = await Promise.allSettled(
        Array.from({ length: 8 }, () => ledger.append(decisionDraft(2), { once: true })),
      )
      expect(plain.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 4, decisions: 2 })
    })

    it('records an outcome by request id once, as the decision describes the call', async () => {
      const place = makePlace()
      const ledger = place.open()
      const record = (n: number) =>
        ledger.recordOutcome?.(requestIdOf(n), {
          status: 'error',
          error_type: 'Crashed',
          error: 'the process ended',
          createdAt: momentAt(50),
        }) ?? Promise.reject(new TypeError('no outcomes by request id'))
      const decision = decisionDraft(1)
      const { position } = await ledger.append(decision)
      await ledger.append(decisionDraft(2, { effect: 'deny' }))
      const results = await Promise.allSettled(Array.from({ length: 4 }, () => record(1)))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await errorOf(() => record(1))).toMatchObject({
        code: 'OUTCOME_RECORDED',
        recorded: { position: 4, effect: null },
      })
      // The call's own outcome comes later.
      expect(await refusalOf(() => ledger.append(outcomeDraft(decision), { decidedAt: position }))).toBe(
        'OUTCOME_RECORDED',
      )
      expect(await refusalOf(() => record(2))).toBe('ENTRY_REFUSED')
      expect(await refusalOf(() => record(3))).toBe('ENTRY_NOT_FOUND')
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 4, outcomes: 1, open: 0 })
    })

    it('keeps to 4 commits for 64 questions at once', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      const asked = await Promise.all(Array.from({ length: 64 }, (_, n) => ask(ledger, askable(n + 2).question)))
      await ledger.close()
      expect(asked.map(({ position }) => position)).toEqual(Array.from({ length: 64 }, (_, n) => n + 3))
      expect((await readAll(place)).length).toBe(1)
    })
  })
}

/** Contract tests for stores with several writers. */
export function testSharedOnce(makePlace: () => Place): void {
  it('two writers, one request id, `once`: one question and one decision', async () => {
    const place = makePlace()
    const [one, two] = [place.open(), place.open()]
    for (let n = 0; n < 8; n += 1) {
      const { question } = askable(n)
      const asked = await Promise.allSettled([ask(one, question, true), ask(two, question, true)])
      expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      const draft = decisionDraft(100 + n)
      const decided = await Promise.allSettled([one, two].map((ledger) => ledger.append(draft, { once: true })))
      expect(decided.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    }
    await Promise.all([one.close(), two.close()])
    expect(await report(place)).toMatchObject({ ok: true, decisions: 8, questions: { open: 8, expired: 0 } })
  })

  it('an outcome by request id from another writer stands, and the own one of the call is refused', async () => {
    const place = makePlace()
    const [agent, operator] = [place.open(), place.open()]
    const decision = decisionDraft(1)
    const { position } = await agent.append(decision)
    const reported = { status: 'error', error_type: 'Lost', error: null, createdAt: momentAt(9) } as const
    await operator.recordOutcome?.(decision.request_id, reported)
    expect(await refusalOf(() => agent.append(outcomeDraft(decision), { decidedAt: position }))).toBe(
      'OUTCOME_RECORDED',
    )
    await Promise.all([agent.close(), operator.close()])
    expect(await report(place)).toMatchObject({ ok: true, entries: 3, outcomes: 1 })
  })
}
