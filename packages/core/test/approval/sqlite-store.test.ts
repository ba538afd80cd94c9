import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { SqliteApprovalStore } from '../../src/approval/sqlite-store.js'
import { at, bindingOf, codeOf, requestOf, START_MS } from '../fixtures/approval.js'
import { race } from '../fixtures/child.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { approvalStoreContract } from './contract.js'

approvalStoreContract('SqliteApprovalStore', () => SqliteApprovalStore.open(temporaryPath('approvals.sqlite')))

function openError(path: string): unknown {
  try {
    SqliteApprovalStore.open(path)
    return 'none'
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}

describe('several connections', () => {
  test('what one writes the other sees, and a reopen too', async () => {
    const path = temporaryPath('approvals.sqlite')
    const engine = SqliteApprovalStore.open(path)
    const console_ = SqliteApprovalStore.open(path)
    await engine.create(requestOf('r1'), at(0))
    const [pending] = await console_.list({ state: 'pending' }, at(1))
    expect(pending).toMatchObject({ approvalId: 'r1', action: 'refund', kwargs: { amount: 500 } })
    await console_.resolve('r1', { state: 'approved', approverId: 'alice', binding: bindingOf('r1') }, at(2))
    await engine.consume('r1', bindingOf('r1'), at(3))
    await engine.close()
    await console_.close()
    const again = SqliteApprovalStore.open(path)
    expect(await codeOf(again.consume('r1', bindingOf('r1'), at(4)))).toBe('APPROVAL_ALREADY_USED')
    await again.close()
  })

  test('a lock that is held too long is a coded error, and nothing has changed', async () => {
    const path = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(path, { busyTimeoutMs: 50 })
    await store.create(requestOf('r1'), at(0))
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')
    expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect((await store.get('r1', at(1)))?.state).toBe('pending')
    holder.exec('ROLLBACK')
    holder.close()
    expect((await store.resolve('r1', { state: 'approved' }, at(1))).state).toBe('approved')
    await store.close()
  })
})

describe('several processes', () => {
  const ids = Array.from({ length: 50 }, (_, i) => `r${i}`)

  test('each approval is used once', async () => {
    const path = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(path)
    for (const id of ids) {
      await store.create(requestOf(id), at(0))
      await store.resolve(id, { state: 'approved' }, at(1))
    }
    const steps = ids.map((id) => [id, bindingOf(id)])
    const input = { path, nowMs: START_MS + 2, method: 'consume', steps }
    const codes = (await race('approval-child.mjs', [input, input, input, input])) as string[][]
    for (const i of ids.keys()) {
      expect(codes.map((of) => of[i]).sort()).toEqual([
        'APPROVAL_ALREADY_USED',
        'APPROVAL_ALREADY_USED',
        'APPROVAL_ALREADY_USED',
        'ok',
      ])
    }
    await store.close()
  })

  test('yes and no at once: one of them wins, everywhere the same', async () => {
    const path = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(path)
    for (const id of ids) await store.create(requestOf(id), at(0))
    const input = (state: string) => ({
      path,
      nowMs: START_MS + 2,
      method: 'resolve',
      steps: ids.map((id) => [id, { state }]),
    })
    const [yes, no] = (await race('approval-child.mjs', [input('approved'), input('denied')])) as [string[], string[]]
    for (const [i, id] of ids.entries()) {
      const { state } = (await store.get(id, at(3))) ?? {}
      expect([yes[i], no[i]]).toEqual(
        state === 'approved' ? ['ok', 'APPROVAL_ALREADY_RESOLVED'] : ['APPROVAL_ALREADY_RESOLVED', 'ok'],
      )
    }
    await store.close()
  })
})

describe('a file that others have written', () => {
  test.each([
    ['a state that there is none of', `state = 'granted'`],
    ['an approval without a time', `state = 'approved'`],
    ['an approval after the deadline', `state = 'approved', resolved_at_ms = expires_at_ms`],
    ['a use without an approval', `state = 'denied', resolved_at_ms = created_at_ms, consumed_at_ms = created_at_ms`],
    ['a use after the deadline', `state = 'approved', resolved_at_ms = created_at_ms, consumed_at_ms = expires_at_ms`],
    ['a deadline beyond the cap', `expires_at_ms = created_at_ms + 3600001`],
    ['a deadline before the beginning', `expires_at_ms = created_at_ms`],
    ['a time that is text', `expires_at_ms = 'never'`],
    ['a time that is a fraction', `expires_at_ms = expires_at_ms + 0.5`],
    ['a time beyond all dates', `created_at_ms = 9223372036854775807, expires_at_ms = 9223372036854775807`],
    ['a hash that is none', `decision_hash = 'x'`],
    ['a hash in capitals', `policy_hash = upper(policy_hash)`],
    ['parameters that are no JSON', `parameters_json = '{'`],
    ['parameters of another form', `parameters_json = '{"args":[],"kwargs":{},"more":1}'`],
    ['parameters not as they were written', `parameters_json = '{"kwargs":{},"args":[]}'`],
    ['parameters with a name twice', `parameters_json = '{"args":[],"kwargs":{"a":1,"a":2}}'`],
    ['parameters as bytes', `parameters_json = x'00ff'`],
    ['an answer while pending', `approver_id = 'mallory'`],
    ['an endless name', `action = printf('%.*c', 100000, 'x')`],
    ['no name', `agent_id = ''`],
  ])('%s is a coded error and is never acted on', async (_name, change) => {
    const path = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(path)
    await store.create(requestOf('r1'), at(0))
    const hostile = new Database(path)
    hostile.pragma('ignore_check_constraints = ON')
    hostile.exec(`UPDATE sudoagent_approval SET ${change}`)
    const before = hostile.prepare('SELECT * FROM sudoagent_approval').get()
    expect(await codeOf(store.get('r1', at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.consume('r1', bindingOf('r1'), at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.list({}, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(hostile.prepare('SELECT * FROM sudoagent_approval').get()).toEqual(before)
    hostile.close()
    await store.close()
  })

  test('random bytes, a cut file and a table of another form are coded errors', async () => {
    const random = temporaryPath('approvals.sqlite')
    writeFileSync(random, Buffer.alloc(4_096, 'sudo'))
    expect(openError(random)).toBe('APPROVAL_STORE_FAILED')

    const cut = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(cut)
    for (let i = 0; i < 50; i++) await store.create(requestOf(`r${i}`), at(0))
    await store.close()
    truncateSync(cut, Math.floor(readFileSync(cut).length / 2))
    const opened = openError(cut)
    if (opened === 'none')
      expect(await codeOf(SqliteApprovalStore.open(cut).list({}, at(1)))).toBe('APPROVAL_STORE_FAILED')
    else expect(opened).toBe('APPROVAL_STORE_FAILED')

    const other = temporaryPath('approvals.sqlite')
    const db = new Database(other)
    db.exec('CREATE TABLE sudoagent_approval (approval_id TEXT, created_at_ms, expires_at_ms)')
    db.close()
    expect(openError(other)).toBe('APPROVAL_STORE_FAILED')
  })

  test('a missing folder is a coded error', () => {
    expect(openError(`${temporaryPath('missing')}/approvals.sqlite`)).toBe('APPROVAL_STORE_FAILED')
  })
})

describe('whoever answers from elsewhere', () => {
  const refusal = (path: string): unknown => {
    try {
      SqliteApprovalStore.openExisting(path)
      return 'none'
    } catch (error) {
      return (error as { code?: unknown }).code ?? error
    }
  }

  test('opens the store that the engine has open', async () => {
    const path = temporaryPath('approvals.sqlite')
    const engine = SqliteApprovalStore.open(path)
    await engine.create(requestOf('r1'), at(0))
    const other = SqliteApprovalStore.openExisting(path)
    await other.resolve('r1', { state: 'denied', approverId: 'bob' }, at(1))
    expect(await engine.get('r1', at(2))).toMatchObject({ state: 'denied', approverId: 'bob' })
    await engine.close()
    await other.close()
  })

  test('makes no file, and changes none that is no approval store', () => {
    const missing = temporaryPath('missing.sqlite')
    expect(refusal(missing)).toBe('APPROVAL_STORE_FAILED')
    expect(existsSync(missing)).toBe(false)
    const other = temporaryPath('ledger.sqlite')
    const db = new Database(other)
    db.exec('CREATE TABLE entries (x)')
    db.close()
    const before = readFileSync(other)
    expect(refusal(other)).toBe('APPROVAL_STORE_FAILED')
    expect(readFileSync(other).equals(before)).toBe(true)
    const text = temporaryPath('text.sqlite')
    writeFileSync(text, 'hello')
    expect(refusal(text)).toBe('APPROVAL_STORE_FAILED')
    expect(readFileSync(text, 'utf8')).toBe('hello')
    expect(refusal(' padded ')).toBeInstanceOf(TypeError)
  })
})

test('old records go in bounded batches', async () => {
  const path = temporaryPath('approvals.sqlite')
  const store = SqliteApprovalStore.open(path)
  for (let i = 0; i < 250; i++) await store.create(requestOf(`r${i}`), at(0))
  const db = new Database(path, { readonly: true })
  const rows = () => db.prepare('SELECT count(*) FROM sudoagent_approval').pluck().get()
  const later = 2 * 86_400_000
  const counts: unknown[] = []
  for (let i = 0; i < 4; i++) {
    await store.create(requestOf(`new${i}`, {}, 60_000, at(later)), at(later))
    counts.push(rows())
  }
  expect(counts).toEqual([151, 52, 3, 4])
  db.close()
  await store.close()
})
