// Tests refusals of questions for which no process waits: the process that asked was killed, a person refuses the
// question in the store, and the next process that opens ledger and store records the denial.
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { SudoEngine } from '../../src/engine.js'
import type { EngineFault } from '../../src/options.js'
import { SqliteApprovalStore } from '../../src/sqlite.js'
import { ASK, policyOf } from '../fixtures/boundary.js'
import { Child, race } from '../fixtures/child.js'
import { asking, decisionsOf, KINDS, kindsOf, type Shelf, shelf } from '../fixtures/questions.js'

/** Asks questions from a process that is then killed. @returns the open approval store of the same folder */
async function askAndDie(place: Shelf, ids: readonly string[]): Promise<SqliteApprovalStore> {
  const folder = dirname(place.path)
  for (const requestId of ids) {
    const child = new Child('once.mjs', { folder, requestId, answer: null })
    expect(await child.line()).toBe('ready')
    child.go()
    expect(await child.line()).toBe('asked')
    await child.killed()
  }
  return SqliteApprovalStore.open(join(folder, 'approvals.sqlite'))
}

const refuse = (store: SqliteApprovalStore, id: string) =>
  store.resolve(id, { state: 'denied', approverId: 'bob', note: 'not today' }, new Date())

describe('a question whose process was killed', () => {
  it('and that was refused since is denied on record by the next process that opens, once', async () => {
    const place = shelf('sqlite')
    const folder = dirname(place.path)
    const store = await askAndDie(place, ['r-1'])
    await refuse(store, 'r-1')
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked'])
    const told = await race('once.mjs', [{ folder }, { folder }, { folder }])
    expect(told).toEqual(Array(3).fill({ opened: true, faults: [] }))
    const lines = await place.lines()
    expect(kindsOf(lines)).toEqual(['genesis', 'asked', 'deny'])
    const [decision] = decisionsOf(lines)
    expect(decision).toMatchObject({
      request_id: 'r-1',
      approval: { state: 'denied', approver_id: 'bob', requirement: { rule: null }, registry: null, statements: [] },
      decision: { reason_code: 'APPROVAL_DENIED', reason: 'not today' },
    })
    expect(await place.report()).toMatchObject({ ok: true, decisions: 1, questions: { open: 0 } })
    await race('once.mjs', [{ folder }])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
    await store.close()
  })

  it('and that nobody answered, or approved, is left alone', async () => {
    const place = shelf('sqlite')
    const folder = dirname(place.path)
    const store = await askAndDie(place, ['r-1', 'r-2'].slice(0, 1))
    await store.resolve('r-1', { state: 'approved', approverId: 'bob' }, new Date())
    expect(await race('once.mjs', [{ folder }])).toEqual([{ opened: true, faults: [] }])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked'])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 1 } })
    await store.close()
  })
})

/** An engine that has asked `count` questions and does not wait for them, and then the store of their answers. */
async function asked(place: Shelf, count: number, clock: () => Date = () => new Date()) {
  const a = asking(place, () => new Promise<never>(() => {}), { clock })
  for (let n = 0; n < count; n += 1) void a.engine.authorize({ action: 'tool', requestId: `r-${n}` })
  await expect.poll(a.asked).toBe(count)
  return a
}

async function opened(place: Shelf, store: MemoryApprovalStore, clock: () => Date = () => new Date()) {
  const faults: EngineFault[] = []
  const ledger = place.open(clock)
  const policy = policyOf(() => ASK)
  const onError = (fault: EngineFault) => faults.push(fault)
  await SudoEngine.open({ policy, agentId: 'agent', ledger, approvalStore: store, clock, onError })
  return { faults, ledger }
}

describe.each(KINDS)('%s: an engine that is opened', (kind) => {
  it('records every refusal, also behind one that the ledger does not take', async () => {
    const place = shelf(kind)
    const a = await asked(place, 4)
    for (const n of [0, 1, 2]) await a.store.resolve(`r-${n}`, { state: 'denied', approverId: `p-${n}` }, new Date())
    const list = a.store.list.bind(a.store)
    // One refusal does not fit its question: its record names another policy.
    a.store.list = async (filter, now) =>
      (await list(filter, now)).map((record) =>
        record.approvalId === 'r-1'
          ? { ...record, binding: { ...record.binding, policyHash: '0'.repeat(64) } }
          : record,
      ) as never
    if (kind !== 'memory') await a.ledger.close()
    const { faults } = await opened(place, a.store)
    expect(
      decisionsOf(await place.lines())
        .map(({ request_id: id }) => id)
        .sort(),
    ).toEqual(['r-0', 'r-2'])
    expect(faults).toMatchObject([{ stage: 'approval', requestId: 'r-1', error: { code: 'ENTRY_REFUSED' } }])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 2 } })
  })

  it('records a refusal that is older than all that one list shows', async () => {
    const place = shelf(kind)
    const a = await asked(place, 2)
    await a.store.resolve('r-0', { state: 'denied', approverId: 'bob' }, new Date())
    const list = a.store.list.bind(a.store)
    const [refused] = await list({ state: 'denied' }, new Date())
    a.store.list = async () => Array(200).fill({ ...refused, approvalId: 'of another call' })
    if (kind !== 'memory') await a.ledger.close()
    expect((await opened(place, a.store)).faults).toEqual([])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'asked', 'deny'])
  })

  it('leaves a refusal alone whose question has expired', async () => {
    const place = shelf(kind)
    let nowMs = Date.UTC(2027, 0, 1)
    const clock = () => new Date(nowMs)
    const a = await asked(place, 1, clock)
    await a.store.resolve('r-0', { state: 'denied', approverId: 'bob' }, clock())
    nowMs += 300_000 + 60_001
    await a.engine.stop({ action: 'other' }, { reason: 'r', by: 'b' })
    if (kind !== 'memory') await a.ledger.close()
    const { faults } = await opened(place, a.store, clock)
    expect(faults).toEqual([])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'stop'])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0, expired: 1 } })
  })

  it('leaves refusals of another ledger alone, and opens with a store that fails or never answers', async () => {
    const place = shelf(kind)
    const a = await asked(place, 1)
    await a.store.resolve('r-0', { state: 'denied', approverId: 'bob' }, new Date())
    const other = shelf(kind)
    expect((await opened(other, a.store)).faults).toEqual([])
    expect(kindsOf(await other.lines())).toEqual(['genesis'])
    const failing = new MemoryApprovalStore()
    failing.list = () => Promise.reject(new Error('store is down'))
    if (kind !== 'memory') await a.ledger.close()
    expect((await opened(place, failing)).faults).toMatchObject([{ stage: 'approval' }])
  })
})

it('a refusal by the waiting process and one by an opening process are recorded once', async () => {
  const place = shelf('sqlite')
  const a = asking(place, async (request, { store }) => {
    await store.resolve(request.approvalId, { state: 'denied', approverId: 'bob' }, new Date())
    const { faults } = await opened(place, store as MemoryApprovalStore)
    expect(faults).toEqual([])
    await delay(1)
    return { approved: false, approverId: 'bob' }
  })
  expect(await a.tool().catch(({ code }: { code: string }) => code)).toBe('APPROVAL_DENIED')
  expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
  expect((await place.report()).ok).toBe(true)
})
