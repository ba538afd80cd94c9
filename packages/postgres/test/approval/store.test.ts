import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { approvalStoreContract } from '../../../core/test/approval/contract.js'
import { bindingOf, codeOf, requestOf } from '../../../core/test/fixtures/approval.js'
import { PostgresApprovalStore } from '../../src/approval/store.js'
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
  await asSuperuser(database, 'TRUNCATE sudoagent.approval')
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

test('a server that is not there is a failure of the store', async () => {
  expect(await codeOf(PostgresApprovalStore.open('postgres://127.0.0.1:1/x'))).toBe('APPROVAL_STORE_FAILED')
})
