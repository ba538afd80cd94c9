// Tests outcomes that are recorded by request id: after a restart, from another process, and while the call still runs.
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALLOW, DENY, policyOf } from '../fixtures/boundary.js'
import { race } from '../fixtures/child.js'
import { asking, KINDS, kindsOf, type Shelf, shelf } from '../fixtures/questions.js'

const CALL = { action: 'tool', requestId: 'r-1' } as const
const KILLED = { status: 'error', error: new Error('the process was killed') } as const

/** An engine over the ledger, whose policy allows. */
const allowing = (place: Shelf) => asking(place, () => true, { policy: policyOf(() => ALLOW) })

describe.each(KINDS)('%s: an outcome by request id', (kind) => {
  it('is recorded after a restart, once', async () => {
    const place = shelf(kind)
    const a = asking(place)
    await a.engine.authorize(CALL)
    if (kind !== 'memory') await a.ledger.close()
    const b = asking(place)
    const entry = await b.engine.recordOutcome('r-1', KILLED)
    expect(entry).toMatchObject({ position: 4 })
    await expect(b.engine.recordOutcome('r-1', KILLED)).rejects.toMatchObject({
      code: 'OUTCOME_RECORDED',
      recorded: { position: 4 },
    })
    const lines = await place.lines()
    expect(lines.at(-1)).toMatchObject({
      event: 'outcome',
      outcome: { status: 'error', error: 'the process was killed' },
    })
    expect(await place.report()).toMatchObject({ ok: true, outcomes: 1, open: 0 })
  })

  it('is refused for a denied call, an unknown id, a question, and a value that is not an outcome', async () => {
    const place = shelf(kind)
    const a = asking(place, () => new Promise<never>(() => {}))
    void a.engine.authorize({ action: 'tool', requestId: 'asked' })
    await expect.poll(a.asked).toBe(1)
    await a.engine.authorize({ action: 'tool', requestId: 'denied', policy: policyOf(() => DENY) })
    const before = await place.lines()
    const codeOf = (id: string) => a.engine.recordOutcome(id, KILLED).catch(({ code }: { code: string }) => code)
    expect(await Promise.all(['denied', 'unknown', 'asked'].map(codeOf))).toEqual([
      'ENTRY_REFUSED',
      'ENTRY_NOT_FOUND',
      'ENTRY_NOT_FOUND',
    ])
    for (const id of ['', 'x'.repeat(129), 7 as never])
      await expect(a.engine.recordOutcome(id, KILLED)).rejects.toThrow(TypeError)
    await expect(a.engine.recordOutcome('denied', { status: 'maybe' } as never)).rejects.toThrow(TypeError)
    expect(await place.lines()).toEqual(before)
  })

  it('ends a call that still runs: its own outcome is refused, and reported', async () => {
    const place = shelf(kind)
    const a = allowing(place)
    const authorization = await a.engine.authorize(CALL)
    if (authorization.status !== 'allowed') return expect.unreachable()
    await a.engine.recordOutcome('r-1', KILLED)
    expect(await a.engine.record(authorization, { status: 'success' })).toBe(false)
    expect(a.faults).toMatchObject([{ stage: 'outcome', requestId: 'r-1', error: { code: 'OUTCOME_RECORDED' } }])
    expect(a.engine.outcomeFailures).toBe(1)
    expect(await place.report()).toMatchObject({ ok: true, outcomes: 1 })
  })

  it('comes too late for a call that has ended', async () => {
    const place = shelf(kind)
    const a = allowing(place)
    const authorization = await a.engine.authorize(CALL)
    if (authorization.status !== 'allowed') return expect.unreachable()
    const told = await Promise.allSettled([
      a.engine.record(authorization, { status: 'success' }),
      a.engine.recordOutcome('r-1', KILLED),
    ])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'allow', 'outcome'])
    expect(told.map(({ status }) => status)).toContain('fulfilled')
    expect((await place.report()).ok).toBe(true)
  })
})

describe('SQLite: an outcome by request id from other processes', () => {
  it('is recorded once, and the outcome of the process that runs the call is refused', async () => {
    const place = shelf('sqlite')
    const a = allowing(place)
    const authorization = await a.engine.authorize(CALL)
    if (authorization.status !== 'allowed') return expect.unreachable()
    const task = { folder: dirname(place.path), requestId: 'r-1', outcome: 'error' }
    const told = (await race('once.mjs', [task, task, task])) as Record<string, unknown>[]
    expect(told.filter(({ position }) => position === 3)).toHaveLength(1)
    expect(told.filter(({ code }) => code === 'OUTCOME_RECORDED')).toHaveLength(2)
    expect(await a.engine.record(authorization, { status: 'success' })).toBe(false)
    expect(a.faults).toMatchObject([{ stage: 'outcome', error: { code: 'OUTCOME_RECORDED' } }])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'allow', 'outcome'])
    expect((await place.report()).ok).toBe(true)
  })
})
