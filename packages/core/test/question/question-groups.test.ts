// Tests many questions at once, and calls that are too large: commits, refused groups, and the limits of a ledger.
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { OPEN_QUESTIONS_BYTES_MAX } from '../../src/limits.js'
import { rejection } from '../fixtures/boundary.js'
import { asking, KINDS, kindsOf, questionsOf, shelf } from '../fixtures/questions.js'

const NOTE = { reason: 'incident', by: 'alice' }

/** An approver who answers all questions when the given number was asked. */
function together(count: number) {
  let answer = (_: boolean): void => {}
  let asked = 0
  const answered = new Promise<boolean>((resolve) => {
    answer = resolve
  })
  return () => {
    asked += 1
    if (asked === count) answer(true)
    return answered
  }
}

describe('64 calls at once', () => {
  it('SQLite: their questions take one commit of two, and so do their decisions and outcomes', async () => {
    const place = shelf('sqlite')
    const a = asking(place, together(64))
    await a.engine.stop({ action: 'other' }, NOTE)
    const watcher = new Database(place.path, { readonly: true })
    const versions = new Set<number>()
    const look = () => versions.add(watcher.pragma('data_version', { simple: true }) as number)
    look()
    let isDone = false
    const all = Promise.all(Array.from({ length: 64 }, () => a.tool())).then(() => (isDone = true))
    while (!isDone) {
      look()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await all
    look()
    watcher.close()
    // The questions, the decisions and the outcomes take at most 4 commits each.
    expect(versions.size - 1).toBeLessThanOrEqual(12)
    expect(a.runs()).toBe(64)
    expect(await place.report()).toMatchObject({ ok: true, decisions: 64, outcomes: 64 })
  })
})

describe.each(KINDS)('%s: a group', (kind) => {
  it('of 512 calls under a stop: every call is denied on record, and the ledger goes on', async () => {
    const place = shelf(kind)
    const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 512 })
    const a = asking(place, () => true, { budget })
    const { stopId } = await a.engine.stop({ action: 'tool' }, NOTE)
    const told = await Promise.allSettled(Array.from({ length: 512 }, () => a.tool()))
    expect(new Set(told.map((one) => (one as PromiseRejectedResult).reason.code))).toEqual(new Set(['STOPPED']))
    expect([a.asked(), a.runs()]).toEqual([0, 0])
    expect(questionsOf(await place.lines())).toEqual([])
    await a.ledger.resume(stopId, NOTE)
    expect(await a.tool()).toBe('done')
    expect(await place.report()).toMatchObject({ ok: true, decisions: 513, outcomes: 1 })
  })

  it('of 200 questions: 100 are asked, and the others are denied with QUESTIONS_FULL', async () => {
    const place = shelf(kind)
    const a = asking(place, together(100))
    const told = await Promise.allSettled(Array.from({ length: 200 }, () => a.tool()))
    const codes = told.map((one) => (one.status === 'rejected' ? one.reason.code : one.value))
    expect([
      codes.filter((code) => code === 'done').length,
      codes.filter((code) => code === 'QUESTIONS_FULL').length,
    ]).toEqual([100, 100])
    expect(await place.report()).toMatchObject({
      ok: true,
      decisions: 200,
      outcomes: 100,
      questions: { open: 0, expired: 0 },
    })
  })

  it('of a stop, questions and decisions is judged in its order', async () => {
    const place = shelf(kind)
    const a = asking(place)
    const told = await Promise.allSettled([a.tool(), a.engine.stop({ all: true }, NOTE), a.tool(), a.tool()])
    const kinds = kindsOf(await place.lines())
    const stopAt = kinds.indexOf('stop')
    expect(kinds.slice(stopAt).filter((one) => one === 'allow')).toEqual([])
    expect(told.filter(({ status }) => status === 'fulfilled').length).toBe(
      1 + kinds.filter((one) => one === 'allow').length,
    )
    expect((await place.report()).ok).toBe(true)
  })

  it('of no more than a call that does not fit an entry: nobody is asked, or it does not run', async () => {
    const place = shelf(kind)
    const a = asking(place)
    const text = 'x'.repeat(4 * 1024 * 1024)
    const error = await rejection(a.tool({ text }))
    expect(error).toMatchObject({ denial: { status: 'denied' } })
    expect(a.runs()).toBe(0)
    expect(await a.tool()).toBe('done')
    expect((await place.report()).ok).toBe(true)
    expect(OPEN_QUESTIONS_BYTES_MAX).toBeGreaterThan(text.length)
  })
})

describe.each(byTier<readonly ('memory' | 'sqlite')[]>({ short: [], long: ['memory'], slow: ['memory', 'sqlite'] }))(
  '%s: 10,000 open questions',
  (kind) => {
    it('are the limit of a ledger: the next one is denied, and one that is decided makes room', {
      timeout: 600_000,
    }, async () => {
      const place = shelf(kind)
      const ledger = place.open()
      const answers: ((answer: boolean) => void)[] = []
      const approve = () => new Promise<boolean>((resolve) => answers.push(resolve))
      const agents = Array.from({ length: 100 }, (_, n) => asking(place, approve, { agentId: `agent ${n}`, ledger }))
      const calls: Promise<unknown>[] = []
      for (const { tool } of agents) for (let n = 0; n < 100; n += 1) calls.push(tool())
      await expect.poll(() => answers.length, { timeout: 300_000 }).toBe(10_000)
      const next = asking(place, () => true, { agentId: 'the next', ledger })
      expect(await rejection(next.tool())).toMatchObject({ code: 'QUESTIONS_FULL' })
      expect(next.asked()).toBe(0)
      answers[0]?.(false)
      await Promise.allSettled(calls.slice(0, 1))
      expect(await next.tool()).toBe('done')
      for (const answer of answers) answer(false)
      await Promise.allSettled(calls)
      expect(await place.report()).toMatchObject({ ok: true, decisions: 10_002, questions: { open: 0, expired: 0 } })
    })
  },
)
