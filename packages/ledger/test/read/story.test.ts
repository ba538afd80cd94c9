import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { LedgerReader } from '../../src/port/reader.js'
import { select } from '../../src/read/query.js'
import { callStory, entryAt } from '../../src/read/story.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { approvalOf, decisionDraft, momentAt, outcomeDraft, requestIdOf } from '../fixtures/draft.js'
import { jsonlOf } from '../fixtures/ledger-file.js'
import { linesReader } from '../fixtures/lines-reader.js'
import { answerTo, askable } from '../fixtures/question.js'
import { refusalOf } from '../fixtures/refusal.js'
import { entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const [first, second, third] = [decisionDraft(1), decisionDraft(2, { effect: 'deny' }), decisionDraft(3)]
const lines = await writtenLines([
  first,
  outcomeDraft(first),
  second,
  { ...third, approval: approvalOf(third) },
  outcomeDraft(third),
])
const CONTROL = `{"created_at":"${momentAt(9)}","entry_hash":"${'0'.repeat(64)}","event":"checkpoint","ledger_version":"2.0","prev_entry_hash":null,"schema_version":"2.0"}`

async function withReader<T>(path: string, use: (reader: LedgerReader) => Promise<T>): Promise<T> {
  const reader = await openLedgerReader(path)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

describe('callStory', () => {
  const story = (key: Parameters<typeof callStory>[1], content: readonly string[] = [...lines, CONTROL]) =>
    withReader(jsonlOf(content), async (reader) => {
      const { requestId, decision, outcome } = await callStory(reader, key)
      return [requestId, decision?.position, outcome?.position]
    })

  it('is found by request id and by the position of either entry', async () => {
    const whole = [requestIdOf(3), 4, 5]
    expect(await story({ requestId: requestIdOf(3) })).toEqual(whole)
    expect(await story({ position: 4 })).toEqual(whole)
    expect(await story({ position: 5 })).toEqual(whole)
    expect(await story({ position: 3 })).toEqual([requestIdOf(2), 3, undefined])
  })

  it('may be an outcome alone', async () => {
    expect(await story({ position: 1 }, lines.slice(1, 2))).toEqual([requestIdOf(1), undefined, 1])
  })

  it.each<[string, Parameters<typeof callStory>[1]]>([
    ['a request that is not there', { requestId: 'nobody' }],
    ['a position that is not there', { position: 7 }],
    ['position 0', { position: 0 }],
    ['a control entry', { position: 6 }],
  ])('is not found: %s', async (_, key) => expect(await refusalOf(() => story(key))).toBe('ENTRY_NOT_FOUND'))

  it('is not found where the entry cannot be read', async () => {
    expect(await refusalOf(() => story({ position: 2 }, [lines[0] ?? '', 'junk']))).toBe('ENTRY_NOT_FOUND')
  })
})

describe('entryAt', () => {
  it('reads any entry that can be read', async () => {
    await withReader(jsonlOf([...lines, CONTROL, 'junk']), async (reader) => {
      expect((await entryAt(reader, 1)).entry.request_id).toBe(requestIdOf(1))
      expect((await entryAt(reader, 6)).entry.event).toBe('checkpoint')
      for (const position of [0, 7, 8, 1.5])
        expect(await refusalOf(() => entryAt(reader, position))).toBe('ENTRY_NOT_FOUND')
    })
  })
})

describe('a question in a ledger that no writer of this release wrote', () => {
  /** A question, its decision and outcome, and again the same three entries, changed. */
  async function spoiled(change: (entries: Record<string, unknown>[]) => Record<string, unknown>[]) {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const ledger = SqliteLedger.open(path)
    const { decision, question } = askable(1)
    const asked = await ledger.ask(question)
    await ledger.append(answerTo(decision, asked))
    await ledger.append(outcomeDraft(decision))
    await ledger.close()
    const written = await withReader(path, async (reader) => {
      const all: string[] = []
      for await (const { json } of select(reader)) all.push(json)
      return all
    })
    const {
      question: found,
      decision: decided,
      others,
    } = await callStory(linesReader(sealAll(change(entriesOf(written)))), { requestId: requestIdOf(1) })
    return {
      question: found === undefined ? null : `${found.position} ${found.state}`,
      decision: decided?.position ?? null,
      others: others.map(({ position }) => position),
    }
  }

  it('behind its decision, or twice: none of them is hidden', async () => {
    expect(await spoiled(([genesis = {}, asked = {}, ...rest]) => [genesis, ...rest, asked])).toEqual({
      question: null,
      decision: 2,
      others: [4],
    })
    expect(await spoiled(([genesis = {}, asked = {}, ...rest]) => [genesis, asked, asked, ...rest, asked])).toEqual({
      question: '3 answered',
      decision: 4,
      others: [2, 6],
    })
  })

  it('whose decision does not have its requirement was open, so it is answered', async () => {
    const without = ([genesis = {}, asked = {}, decision = {}]: Record<string, unknown>[]) => [
      genesis,
      asked,
      { ...decision, approval: null },
    ]
    expect(await spoiled(without)).toMatchObject({ question: '2 answered', decision: 3 })
  })

  it('and that a million entries name: at most 100 are kept', async () => {
    const many = await spoiled(([genesis = {}, asked = {}, decision = {}]) => [
      genesis,
      ...Array.from({ length: 150 }, () => asked),
      decision,
      decision,
    ])
    expect(many).toMatchObject({ question: '151 answered', decision: 152 })
    expect(many.others).toHaveLength(100)
  })

  it('is open if no entry says when it was recorded', async () => {
    const path = ([genesis = {}, asked = {}]: Record<string, unknown>[]) =>
      [genesis, asked].map(({ recorded_at: _, ...entry }) => entry)
    expect(await spoiled(path)).toMatchObject({ question: '2 open', decision: null })
  })
})

describe('the call index of a SQLite ledger', () => {
  /** Two tiles: a call with a question in the first one, and an open question. */
  async function ledgerFile(): Promise<string> {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const ledger = SqliteLedger.open(path)
    const { decision, question } = askable(1)
    const asked = await ledger.ask(question)
    await ledger.ask(askable(2).question)
    await ledger.append(answerTo(decision, asked))
    await ledger.append(outcomeDraft(decision))
    await Promise.all(Array.from({ length: 600 }, (_, n) => ledger.append(decisionDraft(n + 10))))
    await ledger.close()
    return path
  }

  /** The positions of the story, and whether every line was read. */
  async function look(path: string, requestId: string): Promise<readonly [positions: number[], isScanned: boolean]> {
    return await withReader(path, async (reader) => {
      let isScanned = false
      const watched = new Proxy(reader, {
        get(target, name) {
          if (name === 'batches' || name === 'ranges') isScanned = true
          const value = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      const { question, decision, outcome } = await callStory(watched, { requestId })
      return [[question, decision, outcome].map((record) => record?.position ?? 0), isScanned]
    })
  }

  it('has the question of a call', async () => {
    const path = await ledgerFile()
    expect(await look(path, requestIdOf(1))).toEqual([[2, 4, 5], false])
    expect(await look(path, requestIdOf(2))).toEqual([[3, 0, 0], true])
    await withReader(path, async (reader) => {
      const found = await reader.linesOfCall(requestIdOf(2))
      expect(found?.map(({ position }) => position)).toEqual([3])
    })
  })

  it('without the number of the question, as an earlier release wrote it, leads to the same entries', async () => {
    const path = await ledgerFile()
    const db = new Database(path)
    const calls = db.prepare('SELECT calls FROM sudoagent_calls WHERE tile = 0').pluck().get() as Buffer
    db.prepare('UPDATE sudoagent_calls SET calls = ? WHERE tile = 0').run(Buffer.from(calls).fill(0, 4, 12))
    db.close()
    expect(await look(path, requestIdOf(1))).toEqual([[2, 4, 5], true])
    expect(await look(path, requestIdOf(2))).toEqual([[3, 0, 0], true])
  })

  it('that names only an earlier question of the call is not believed', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    let nowMs = Date.UTC(2026, 0, 1)
    const ledger = SqliteLedger.open(path, { clock: () => new Date(nowMs) })
    const { decision, question } = askable(1)
    await ledger.ask({ ...question, ttlMs: 1 })
    nowMs += 60_002
    await ledger.append(decisionDraft(9))
    await ledger.append(answerTo(decision, await ledger.ask(question)))
    await ledger.append(outcomeDraft(decision))
    await Promise.all(Array.from({ length: 300 }, (_, n) => ledger.append(decisionDraft(n + 10))))
    await ledger.close()
    expect(await look(path, requestIdOf(1))).toEqual([[4, 5, 6], false])
    const db = new Database(path)
    const calls = db.prepare('SELECT calls FROM sudoagent_calls WHERE tile = 0').pluck().get() as Buffer
    db.prepare('UPDATE sudoagent_calls SET calls = ? WHERE tile = 0').run(Buffer.from(calls).fill(0, 12, 16))
    db.close()
    expect(await look(path, requestIdOf(1))).toEqual([[4, 5, 6], true])
  })
})
