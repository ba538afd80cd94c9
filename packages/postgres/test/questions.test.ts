// Tests questions of several processes in one PostgreSQL database: one decision and one run of a request id, refusals
// without a waiting process, outcomes by request id, and the number of commits.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { select, verify } from '@sudoagent/ledger'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { byTier, isLong } from '../../../test/tier.js'
import { Child, race } from '../../core/test/fixtures/child.js'
import { killAtRandom } from '../../core/test/fixtures/question-soak.js'
import { asking, kindsOf, type Line, type Shelf } from '../../core/test/fixtures/questions.js'
import { temporaryPath } from '../../core/test/fixtures/temporary.js'
import { PostgresApprovalStore } from '../src/approval/store.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { asSuperuser } from './server/cluster.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

const STORES = fileURLToPath(new URL('fixtures/once-stores.mjs', import.meta.url))
const DECIDED = { status: 'denied', code: 'CALL_DECIDED', retryable: false }

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

/** A ledger of its own, the task of a process that uses it, and what it has recorded. */
async function place() {
  await asSuperuser(database, 'TRUNCATE sudoagent.approval, sudoagent.question, sudoagent.budget_charge')
  const url = ledgerUrl(database)
  const folder = dirname(temporaryPath('ran'))
  const reading = async <T>(work: (reader: Awaited<ReturnType<typeof openPostgresLedger>>) => Promise<T>) => {
    const reader = await openPostgresLedger(url)
    return await work(reader).finally(() => reader.close())
  }
  const lines = () =>
    reading(async (reader) => {
      const found: Line[] = []
      for await (const { entry } of select(reader)) found.push(entry as unknown as Line)
      return found
    })
  return {
    url,
    folder,
    task: { folder, database, ledger: url, stores: STORES, requestId: 'r-1' },
    lines,
    report: () => reading((reader) => verify(reader)),
  }
}

describe('several processes with one request id', () => {
  it.each([
    ['allow', true, ['genesis', 'allow', 'outcome']],
    ['require_approval', true, ['genesis', 'asked', 'allow', 'outcome']],
    ['require_approval', false, ['genesis', 'asked', 'deny']],
  ] as const)('%s, answered %s: one decision, one charge, at most one run', async (effect, answer, kinds) => {
    const { task, folder, lines, report } = await place()
    const told = (await race('once.mjs', Array(3).fill({ ...task, effect, answer }))) as Record<string, unknown>[]
    const hasRun = existsSync(join(folder, 'ran'))
    if (hasRun) expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe('r-1\n')
    expect(hasRun).toBe(effect === 'allow' || answer)
    expect(told.filter(({ status }) => status === 'allowed')).toHaveLength(hasRun ? 1 : 0)
    if (hasRun) expect(told.filter(({ status }) => status === 'denied')).toMatchObject([DECIDED, DECIDED])
    expect(kindsOf(await lines())).toEqual(kinds)
    expect((await report()).ok).toBe(true)
    const [next] = await race('once.mjs', [{ ...task, requestId: 'r-2' }])
    expect(next).toMatchObject(hasRun ? { code: 'BUDGET_EXCEEDED_AGENT_RATE' } : { status: 'allowed' })
  })
})

describe('a question that outlives its process', () => {
  const started = async (task: Record<string, unknown>, approvalId: string | null, wait: boolean): Promise<Child> => {
    const child = new Child('resume.mjs', { ...task, approvalId, wait })
    expect(await child.line()).toBe('ready')
    child.go()
    return child
  }

  // Ten seconds, until the lease of the killed process ends.
  it.runIf(isLong)('is killed while it waits, and resumed by two: it runs once', { timeout: 60_000 }, async () => {
    const { task, folder, lines, report } = await place()
    const asking = await started(task, null, true)
    const store = await PostgresApprovalStore.open(database)
    onTestFinished(() => store.close())
    const waiting = async () => (await store.list({}, new Date())).filter(({ leasedUntil }) => leasedUntil !== null)
    await expect.poll(async () => (await waiting()).length, { timeout: 20_000 }).toBe(1)
    const id = (await waiting())[0]?.approvalId ?? ''
    await asking.killed()
    await store.resolve(id, { state: 'approved', approverId: 'alice' }, new Date())
    const resuming = [await started(task, id, true), await started(task, id, true)]
    const answers = await Promise.all(resuming.map((child) => child.result()))
    expect(answers).toContainEqual({ status: 'allowed', requestId: id, code: null })
    expect(answers).toContainEqual({ status: 'denied', requestId: id, code: 'APPROVAL_ALREADY_USED' })
    expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe(`${id}\n`)
    expect(kindsOf(await lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
    expect((await report()).ok).toBe(true)
  })

  it('has no waiter: the repeated call of another process attaches to it', async () => {
    const { task, lines } = await place()
    const asked = (await (await started(task, null, false)).result()) as { readonly requestId: string }
    expect(asked).toMatchObject({ status: 'pending' })
    expect(await (await started(task, null, false)).result()).toEqual(asked)
    const store = await PostgresApprovalStore.open(database)
    onTestFinished(() => store.close())
    await store.resolve(asked.requestId, { state: 'approved', approverId: 'alice' }, new Date())
    expect(await (await started(task, null, false)).result()).toMatchObject({
      status: 'allowed',
      requestId: asked.requestId,
    })
    expect(kindsOf(await lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
  })
})

it('a question whose process was killed, and that was refused since, is denied on record once', async () => {
  const { task, lines, report } = await place()
  const child = new Child('once.mjs', { ...task, answer: null })
  expect(await child.line()).toBe('ready')
  child.go()
  expect(await child.line()).toBe('asked')
  await child.killed()
  const store = await PostgresApprovalStore.open(database)
  onTestFinished(() => store.close())
  await store.resolve('r-1', { state: 'denied', approverId: 'bob' }, new Date())
  const { requestId: _, ...opening } = task
  expect(await race('once.mjs', Array(3).fill(opening))).toEqual(Array(3).fill({ opened: true, faults: [] }))
  const found = await lines()
  expect(kindsOf(found)).toEqual(['genesis', 'asked', 'deny'])
  expect(found.at(-1)).toMatchObject({ approval: { approver_id: 'bob', state: 'denied', requirement: { rule: null } } })
  expect(await report()).toMatchObject({ ok: true, questions: { open: 0 } })
})

/** An engine in this process. */
async function inProcess(url: string, approve: () => boolean | Promise<boolean> = () => true) {
  const ledger = await PostgresLedger.open(url)
  onTestFinished(() => ledger.close())
  return asking({ open: () => ledger } as unknown as Shelf, approve)
}

it('an outcome by request id is recorded once, and that of the process that runs the call is refused', async () => {
  const { url, task, lines, report } = await place()
  const { engine, faults } = await inProcess(url)
  const authorization = await engine.authorize({ action: 'tool', requestId: 'r-1' })
  if (authorization.status !== 'allowed') return expect.unreachable()
  const told = (await race('once.mjs', Array(3).fill({ ...task, outcome: 'error' }))) as Record<string, unknown>[]
  expect(told.filter(({ position }) => position === 4)).toHaveLength(1)
  expect(told.filter(({ code }) => code === 'OUTCOME_RECORDED')).toHaveLength(2)
  expect(await engine.record(authorization, { status: 'success' })).toBe(false)
  expect(faults).toMatchObject([{ stage: 'outcome', error: { code: 'OUTCOME_RECORDED' } }])
  expect(kindsOf(await lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
  expect((await report()).ok).toBe(true)
})

it('64 questions at once take at most 4 transactions, and so do their decisions', async () => {
  const { url, report } = await place()
  let asked = 0
  let answer = (_: boolean): void => {}
  const answered = new Promise<boolean>((resolve) => {
    answer = resolve
  })
  const { tool, engine } = await inProcess(url, () => {
    asked += 1
    return answered
  })
  await engine.stop({ action: 'other' }, { reason: 'r', by: 'b' })
  const calls = Promise.all(Array.from({ length: 64 }, () => tool()))
  await expect.poll(() => asked).toBe(64)
  answer(true)
  await calls
  // Each transaction has its own id, which its rows keep.
  const groups = await asSuperuser<{ kind: string; n: number }>(
    database,
    `SELECT CASE WHEN entry_json LIKE '%"event":"checkpoint"%' THEN 'asked' ELSE 'call' END AS kind,
            count(DISTINCT e.xmin::text)::int AS n
       FROM sudoagent.entry e JOIN sudoagent.ledger l ON l.id = e.ledger
      WHERE l.name = '${new URL(url).searchParams.get('ledger')}' GROUP BY 1`,
  )
  // The genesis and the stop are one transaction each; a call has a decision and an outcome.
  for (const { kind, n } of groups) expect(n).toBeLessThanOrEqual(kind === 'asked' ? 6 : 8)
  expect(groups).toHaveLength(2)
  expect(await report()).toMatchObject({ ok: true, decisions: 64, outcomes: 64 })
})

const KILLS = byTier({ short: 3, long: 12, slow: 200 })

it(`${KILLS} kills at a random time: each request id runs at most once`, { timeout: 3_600_000 }, async () => {
  const { task, lines, report } = await place()
  const { requestId: _, ...common } = task
  const ran = await killAtRandom({ task: common, lines, report }, KILLS)
  console.info(`PostgreSQL: ${ran} calls ran, ${KILLS} kills`)
  expect(ran).toBeGreaterThan(KILLS)
})
