import { describe, expect, it } from 'vitest'
import { inspect } from '../../src/read/inspect.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft, requestIdOf } from '../fixtures/draft.js'
import { linesReader } from '../fixtures/lines-reader.js'
import { answerTo, askable, TTL_MS } from '../fixtures/question.js'
import { handClock } from '../store/contract-questions.js'

describe('the questions of a ledger', () => {
  it('are counted as by verify: open, answered and expired', async () => {
    const time = handClock()
    const ledger = new MemoryLedger({ clock: time.clock })
    const asked = await ledger.ask(askable(1).question)
    await ledger.append(answerTo(askable(1).decision, asked))
    await ledger.ask(askable(2).question)
    time.at(TTL_MS + 60_001)
    await ledger.append(decisionDraft(3))
    for (let n = 10; n < 22; n += 1) await ledger.ask(askable(n).question)
    const { questions, open_questions: listed, stops } = await inspect(ledger.reader())
    expect(questions).toEqual({ open: 12, expired: 1 })
    expect(questions).toEqual((await verify(ledger.reader())).questions)
    expect(stops).toEqual([])
    expect(listed).toHaveLength(10)
    expect(listed[0]).toEqual({
      position: 6,
      request_id: requestIdOf(10),
      agent_id: 'support-bot',
      expires_at: expect.stringMatching(/^2026-/),
    })
  })

  it('that break a rule are not counted, and an unreadable line hides nothing else', async () => {
    const ledger = new MemoryLedger({ clock: handClock().clock })
    await ledger.ask(askable(1).question)
    await ledger.ask(askable(2).question)
    const lines: string[] = []
    for await (const batch of ledger.reader().batches())
      for (const { bytes } of batch) lines.push(Buffer.from(bytes).toString())
    const late = (lines[1] ?? '').replace(/"expires_at":"20/, '"expires_at":"30')
    const { questions, unreadable } = await inspect(linesReader([lines[0] ?? '', late, '{', lines[2] ?? '']))
    expect({ questions, unreadable }).toEqual({ questions: { open: 1, expired: 0 }, unreadable: 1 })
  })
})
