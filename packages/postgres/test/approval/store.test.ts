import { LEASE_MS } from '@sudoagent/core/store'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { approvalStoreContract } from '../../../core/test/approval/contract.js'
import { askedCallOf, bindingOf, codeOf, questionOf, requestOf } from '../../../core/test/fixtures/approval.js'
import { PostgresApprovalStore } from '../../src/approval/store.js'
import { schemaSql } from '../../src/schema/schema.js'
import type { StoreClock } from '../../src/session/store-clock.js'
import { asSuperuser } from '../server/cluster.js'
import { newDatabase } from '../server/shared.js'

/** Uses the caller's clock instead of the server's clock, so that tests can set the time. */
const callersClock: StoreClock = (callersMs) => callersMs

let database: string
beforeAll(async () => {
  database = await newDatabase()
})
beforeEach(async () => {
  await asSuperuser(database, 'TRUNCATE sudoagent.approval, sudoagent.question')
})

approvalStoreContract('PostgresApprovalStore', () => new PostgresApprovalStore(database, {}, callersClock))

describe('hosts', () => {
  const HOUR_MS = 3_600_000
  const inMs = (ms: number): Date => new Date(Date.now() + ms)

  test('whose clocks are an hour apart agree on when a request ends: the database says', async () => {
    const [early, late] = [await PostgresApprovalStore.open(database), await PostgresApprovalStore.open(database)]
    for (const [id, shiftMs] of [
      ['ahead', HOUR_MS],
      ['behind', -HOUR_MS],
    ] as const) {
      const request = requestOf(id, {}, 60_000, inMs(shiftMs))
      const record = await early.create(request, inMs(shiftMs))
      expect(Math.abs(record.expiresAt.getTime() - inMs(60_000).getTime())).toBeLessThan(30_000)
      // If a host with a different clock sends the same request, no second record is created.
      expect(await late.create(request, inMs(-shiftMs))).toEqual(record)
      await late.resolve(id, { state: 'approved', approverId: 'alice' }, inMs(-shiftMs))
      expect(await early.consume(id, bindingOf(id), inMs(shiftMs))).toMatchObject({
        state: 'approved',
        approverId: 'alice',
      })
    }
    await Promise.all([early.close(), late.close()])
  })

  test('none of which can make a request last: when its time is over by the database, it is', async () => {
    const store = await PostgresApprovalStore.open(database)
    await store.create(requestOf('short', {}, 50, inMs(HOUR_MS)), inMs(HOUR_MS))
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await codeOf(store.resolve('short', { state: 'approved' }, inMs(-HOUR_MS)))).toBe('APPROVAL_EXPIRED')
    expect(await codeOf(store.consume('short', bindingOf('short'), inMs(-HOUR_MS)))).toBe('APPROVAL_EXPIRED')
    await store.close()
  })

  test('that use the same approval at the same time: one does', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => PostgresApprovalStore.open(database)))
    const [first] = stores
    await first?.create(requestOf('r1', {}, 60_000, new Date()), new Date())
    await first?.resolve('r1', { state: 'approved' }, new Date())
    const codes = await Promise.all(
      stores.flatMap((store) => [1, 2, 3].map(() => codeOf(store.consume('r1', bindingOf('r1'), new Date())))),
    )
    expect(codes.filter((code) => code === 'none')).toHaveLength(1)
    expect(codes.filter((code) => code === 'APPROVAL_ALREADY_USED')).toHaveLength(17)
    await Promise.all(stores.map((store) => store.close()))
  })

  test('that ask the same question at the same time get one record', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => PostgresApprovalStore.open(database)))
    const request = requestOf('r1', {}, 60_000, new Date())
    const records = await Promise.all(stores.map((store) => store.create(request, new Date())))
    expect(new Set(records.map(({ createdAt }) => createdAt.getTime())).size).toBe(1)
    await Promise.all(stores.map((store) => store.close()))
  })
})

test('a connection that died is made anew', async () => {
  const store = await PostgresApprovalStore.open(database)
  await store.create(requestOf('r1', {}, 60_000, new Date()), new Date())
  await asSuperuser(
    database,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sudoagent' AND datname = current_database()",
  )
  expect((await store.get('r1', new Date()))?.state).toBe('pending')
  await store.close()
})

test('a row that nobody can have written is a failure, not an approval', async () => {
  const store = await PostgresApprovalStore.open(database)
  await store.create(requestOf('r1', {}, 60_000, new Date()), new Date())
  await asSuperuser(database, "UPDATE sudoagent.approval SET state = 'approved'")
  expect(await codeOf(store.consume('r1', bindingOf('r1'), new Date()))).toBe('APPROVAL_STORE_FAILED')
  await store.close()
})

describe('questions', () => {
  const nowQuestion = (id: string, ttlMs = 60_000, over: Parameters<typeof questionOf>[1] = {}) =>
    questionOf(id, over, ttlMs, new Date())

  test('keep the times of their ledger, and expire by the database', async () => {
    const store = await PostgresApprovalStore.open(database)
    const now = new Date(Date.now() - 5_000)
    const question = questionOf('q1', {}, 7 * 86_400_000, now)
    const far = new Date(Date.now() + 3_600_000)
    const record = await store.create(question, far)
    expect([record.createdAt, record.expiresAt]).toEqual([question.createdAt, question.expiresAt])
    expect(await store.create(question, far)).toEqual(record)
    const short = nowQuestion('short', 100)
    await store.create(short, new Date(0))
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await codeOf(store.resolve('short', { state: 'approved' }, new Date(0)))).toBe('APPROVAL_EXPIRED')
    await store.close()
  })

  test('that are used at the same time by several hosts: one is', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => PostgresApprovalStore.open(database)))
    const question = nowQuestion('q1')
    await stores[0]?.create(question, new Date())
    await stores[1]?.resolve('q1', { state: 'approved' }, new Date())
    const codes = await Promise.all(
      stores.flatMap((store) => [1, 2].map(() => codeOf(store.consume('q1', question.binding, new Date())))),
    )
    expect(codes.filter((code) => code === 'none')).toHaveLength(1)
    expect(codes.filter((code) => code === 'APPROVAL_ALREADY_USED')).toHaveLength(7)
    await Promise.all(stores.map((store) => store.close()))
  })

  test('that two hosts lease at the same time: one has each', async () => {
    const hosts = await Promise.all([PostgresApprovalStore.open(database), PostgresApprovalStore.open(database)])
    const [a, b] = hosts
    for (let i = 0; i < 50; i++) {
      const id = `q${i}`
      await a.create(nowQuestion(id), new Date())
      const wins = await Promise.all([a.lease(id, 'A', new Date()), b.lease(id, 'B', new Date())])
      expect(wins.toSorted()).toEqual([false, true])
      const [holder, other] = wins[0] ? ['A', 'B'] : ['B', 'A']
      expect(await b.lease(id, other, new Date())).toBe(false)
      expect(await a.lease(id, holder, new Date())).toBe(true)
    }
    await Promise.all(hosts.map((host) => host.close()))
  })

  test('are leased by the clock of the database, whatever a host says', async () => {
    const store = await PostgresApprovalStore.open(database)
    const far = new Date(Date.now() + 86_400_000)
    await store.create(nowQuestion('q1'), far)
    expect(await store.lease('q1', 'A', far)).toBe(true)
    expect(await store.lease('q1', 'B', new Date(far.getTime() + LEASE_MS))).toBe(false)
    const leftMs = ((await store.get('q1', far))?.leasedUntil?.getTime() ?? Number.NaN) - Date.now()
    expect(Math.abs(leftMs - LEASE_MS)).toBeLessThan(LEASE_MS)
    await asSuperuser(database, `UPDATE sudoagent.question SET leased_until_ms = 5`)
    await store.renewLeases('A', new Date(0))
    expect(await store.lease('q1', 'B', far)).toBe(false)
    await asSuperuser(database, `UPDATE sudoagent.question SET leased_until_ms = 5`)
    expect(await store.lease('q1', 'B', new Date(0))).toBe(true)
    await store.close()
  })

  test('are renewed in one transaction with a lease that another engine of the host asks for', async () => {
    const store = await PostgresApprovalStore.open(database)
    for (const id of ['q1', 'q2']) {
      await store.create(nowQuestion(id), new Date())
      await store.lease(id, 'A', new Date())
    }
    await asSuperuser(database, `UPDATE sudoagent.question SET leased_until_ms = 5`)
    const [, won] = await Promise.all([store.renewLeases('A', new Date()), store.lease('q1', 'B', new Date())])
    expect(won).toBe(false)
    const listed = await store.list({}, new Date())
    for (const { leasedUntil } of listed) expect(leasedUntil?.getTime()).toBeGreaterThan(Date.now())
    await Promise.all([store.endLease('q1', 'A', new Date()), store.renewLeases('A', new Date())])
    expect(await store.get('q1', new Date())).toMatchObject({ leasedUntil: null })
    await store.close()
  })

  test('get their leases when the tables of an earlier commit are brought up to date', async () => {
    const old = await newDatabase()
    await asSuperuser(old, 'ALTER TABLE sudoagent.question DROP COLUMN lease_holder, DROP COLUMN leased_until_ms')
    await asSuperuser(old, schemaSql({ schema: 'sudoagent', roles: false }))
    const store = await PostgresApprovalStore.open(old)
    await store.create(nowQuestion('q1'), new Date())
    expect(await store.lease('q1', 'A', new Date())).toBe(true)
    await store.close()
  })

  test.each([
    ['the arguments', `parameters_json = '{"args":[],"kwargs":{}}'`],
    ['the authority', `authority_json = '{"tenant":"other"}'`],
    ['the requirement', `requirement_json = replace(requirement_json, 'refunds', 'others')`],
    ['endless metadata', `metadata_json = '{"a":"' || repeat('x', 3000000) || '"}'`],
    ['an endless reason', `reason = repeat('\\0', 5000)`],
    ['a position beyond all integers', `position = 9223372036854775807`],
  ])(
    'of which another program changed a value (%s): an error for that question, and for no other',
    async (_, change) => {
      const store = await PostgresApprovalStore.open(database)
      await store.create(nowQuestion('q1', 60_000, { authority: { tenant: 'acme' } }), new Date())
      await store.create(nowQuestion('q2'), new Date())
      await asSuperuser(database, `UPDATE sudoagent.question SET ${change} WHERE approval_id = 'q1'`)
      const approve = (id: string) => codeOf(store.resolve(id, { state: 'approved' }, new Date()))
      expect(await Promise.all([approve('q1'), approve('q2')])).toEqual(['APPROVAL_STORE_FAILED', 'none'])
      const invalid: string[] = []
      const listed = await store.list({ onInvalid: (id) => invalid.push(id) }, new Date())
      expect([listed.map(({ approvalId }) => approvalId), invalid]).toEqual([['q2'], ['q1']])
      await store.close()
    },
  )

  test('are refused by a database of an earlier day, until its tables are brought up to date', async () => {
    const old = await newDatabase()
    await asSuperuser(old, 'DROP TABLE sudoagent.question')
    const store = await PostgresApprovalStore.open(old)
    await store.create(requestOf('r1', {}, 60_000, new Date()), new Date())
    expect(await store.lease('r1', 'A', new Date())).toBe(false)
    await store.renewLeases('A', new Date())
    await store.endLease('r1', 'A', new Date())
    await expect(store.create(nowQuestion('q1'), new Date())).rejects.toMatchObject({
      code: 'APPROVAL_STORE_FAILED',
      hint: expect.stringContaining('sudoagent postgres init'),
    })
    expect(await store.get('q1', new Date())).toBeUndefined()
    expect(await store.list({}, new Date())).toHaveLength(1)
    expect(await store.list({ ledger: askedCallOf('q1').asked.ledger }, new Date())).toEqual([])
    await asSuperuser(old, schemaSql({ schema: 'sudoagent', roles: false }))
    expect((await store.create(nowQuestion('q1'), new Date())).state).toBe('pending')
    expect(await store.list({}, new Date())).toHaveLength(2)
    await store.close()
  })

  test('are not read from a view that appears in the place of the table', async () => {
    const old = await newDatabase()
    await asSuperuser(old, 'ALTER TABLE sudoagent.question RENAME TO real_question')
    const store = await PostgresApprovalStore.open(old)
    expect(await store.get('q1', new Date())).toBeUndefined()
    await asSuperuser(old, 'CREATE VIEW sudoagent.question AS SELECT * FROM sudoagent.real_question')
    expect(await codeOf(store.get('q1', new Date()))).toBe('APPROVAL_STORE_FAILED')
    await store.close()
  })
})

test('a server that is not there is a failure of the store', async () => {
  expect(await codeOf(PostgresApprovalStore.open('postgres://127.0.0.1:1/x'))).toBe('APPROVAL_STORE_FAILED')
})
