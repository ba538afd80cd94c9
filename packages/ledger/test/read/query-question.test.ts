// Tests that a search finds a question by the call that it is about.
import { describe, expect, it } from 'vitest'
import type { LedgerReader } from '../../src/port/reader.js'
import type { Criteria } from '../../src/read/criteria.js'
import { select } from '../../src/read/query.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { momentAt, requestIdOf, tickingClock } from '../fixtures/draft.js'
import { linesReader } from '../fixtures/lines-reader.js'
import { answerTo, askable } from '../fixtures/question.js'

async function positions(reader: LedgerReader, criteria: Criteria): Promise<number[]> {
  const found = []
  for await (const { position } of select(reader, criteria)) found.push(position)
  return found
}

describe('a question', () => {
  const { decision, question } = askable(1, { more: { authority: { tenant: 'acme', session: 's-1' } } })

  async function withQuestion<T>(use: (reader: LedgerReader) => Promise<T>): Promise<T> {
    const ledger = new MemoryLedger({ clock: tickingClock() })
    const asked = await ledger.ask(question)
    await ledger.append(answerTo(decision, asked))
    await ledger.ask(askable(2).question)
    return await use(ledger.reader())
  }

  it.each<[string, Criteria, number[]]>([
    ['its request id', { requestId: requestIdOf(1) }, [2, 3]],
    ['the request id of a question alone', { requestId: requestIdOf(2) }, [4]],
    ['its action', { action: 'payments.refund' }, [2, 3, 4]],
    ['its agent', { agentId: 'support-bot' }, [2, 3, 4]],
    ['its tenant', { tenant: 'acme' }, [2, 3]],
    ['its session', { session: 's-1' }, [2, 3]],
    ['its decision hash', { decisionHash: decision.decision.decision_hash }, [2, 3]],
    ['its event', { event: 'checkpoint' }, [1, 2, 4]],
    ['an effect, which it does not have', { requestId: requestIdOf(1), effect: 'allow' }, [3]],
    ['an outcome, which it does not have', { requestId: requestIdOf(1), outcome: 'success' }, []],
    ['a text in it', { text: 'refunds' }, [2, 3, 4]],
    ['another tenant', { tenant: 'acme2' }, []],
  ])('is found by %s', async (_, criteria, found) =>
    expect(await withQuestion((reader) => positions(reader, criteria))).toEqual(found),
  )

  it('that does not have the form of a question is found as a control entry alone', async () => {
    const block = `{"kind":"asked","request_id":"${requestIdOf(1)}"}`
    const bad = `{"checkpoint":${block},"created_at":"${momentAt(9)}","entry_hash":"${'0'.repeat(64)}","event":"checkpoint","ledger_version":"2.0","prev_entry_hash":null,"schema_version":"2.0"}`
    expect(await positions(linesReader([bad]), { requestId: requestIdOf(1) })).toEqual([])
    expect(await positions(linesReader([bad]), { event: 'checkpoint' })).toEqual([1])
  })
})
