// Tests that every store finds all entries of a call, its question included, and says what became of the question.
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import { callStory } from '../../src/read/story.js'
import { decisionDraft, momentAt, outcomeDraft, requestIdOf } from '../fixtures/draft.js'
import { answerTo, askable, questionOf, TTL_MS } from '../fixtures/question.js'
import type { Place } from './contract-place.js'
import { ask, handClock } from './contract-questions.js'

/** The entries of a call, by position. */
async function storyIn(place: Place, key: Parameters<typeof callStory>[1]) {
  const reader = await place.read()
  try {
    const { requestId, question, decision, outcome, others } = await callStory(reader, key)
    return {
      requestId,
      question: question === undefined ? null : `${question.position} ${question.state}`,
      decision: decision?.position ?? null,
      outcome: outcome?.position ?? null,
      others: others.map(({ position }) => position),
    }
  } finally {
    await reader.close()
  }
}

const denied = (decision: EntryDraft): EntryDraft => ({
  ...decision,
  decision: { ...decision.decision, effect: 'deny' },
})

export function testStories(makePlace: () => Place): void {
  describe('the entries of a call', () => {
    it('are its question, its decision and its outcome, by its request id and by each position', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: handClock().clock })
      const { decision, question } = askable(1)
      const asked = await ask(ledger, question)
      await ledger.append(decisionDraft(2))
      await ledger.append(answerTo(decision, asked))
      await ledger.append(outcomeDraft(decision))
      await ledger.close()
      const whole = { requestId: requestIdOf(1), question: '2 answered', decision: 4, outcome: 5, others: [] }
      for (const key of [{ requestId: requestIdOf(1) }, { position: 2 }, { position: 4 }, { position: 5 }])
        expect(await storyIn(place, key)).toEqual(whole)
      const without = { requestId: requestIdOf(2), question: null, decision: 3, outcome: null, others: [] }
      expect(await storyIn(place, { position: 3 })).toEqual(without)
    })

    it('are the question alone while it is open, and after it expired without a decision', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      await ask(ledger, askable(1).question)
      const alone = { requestId: requestIdOf(1), question: '2 open', decision: null, outcome: null, others: [] }
      expect(await storyIn(place, { requestId: requestIdOf(1) })).toEqual(alone)
      time.at(TTL_MS + 60_000)
      await ledger.append(decisionDraft(2))
      expect(await storyIn(place, { position: 2 })).toEqual(alone)
      time.at(TTL_MS + 60_001)
      await ledger.append(decisionDraft(3))
      await ledger.close()
      expect(await storyIn(place, { position: 2 })).toEqual({ ...alone, question: '2 expired' })
    })

    it('have the question that the decision answers, if an earlier one expired', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      const { decision, question } = askable(1)
      await ask(ledger, question)
      time.at(TTL_MS + 60_001)
      await ledger.append(decisionDraft(2))
      const second = await ask(ledger, question)
      await ledger.append(answerTo(denied(decision), second, { state: 'denied' }))
      await ledger.close()
      const story = { requestId: requestIdOf(1), question: '4 answered', decision: 5, outcome: null, others: [2] }
      expect(await storyIn(place, { requestId: requestIdOf(1) })).toEqual(story)
      expect(momentAt(TTL_MS) < second.expiresAt).toBe(true)
    })

    it('have an expired question, if the call was then decided without one', async () => {
      const place = makePlace()
      const time = handClock()
      const ledger = place.open({ clock: time.clock })
      const { decision } = askable(1)
      await ask(ledger, questionOf(decision, { ttlMs: 1 }))
      time.at(60_002)
      await ledger.append(decisionDraft(2))
      await ledger.append(decision)
      await ledger.append(outcomeDraft(decision))
      await ledger.close()
      const story = { requestId: requestIdOf(1), question: '2 expired', decision: 4, outcome: 5, others: [] }
      expect(await storyIn(place, { position: 2 })).toEqual(story)
    })
  })
}
