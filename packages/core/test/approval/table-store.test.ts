import { expect, test } from 'vitest'
import { ApprovalStoreError } from '../../src/approval/approval.js'
import type { ApprovalRow } from '../../src/approval/row.js'
import { type ApprovalTable, TableApprovalStore } from '../../src/approval/table-store.js'
import { at, bindingOf, codeOf, questionOf, requestOf } from '../fixtures/approval.js'

/** Stores one row. A commit can fail before or after the row is stored. */
class FaultyTable implements ApprovalTable {
  row: ApprovalRow | undefined
  fault: 'none' | 'lost' | 'kept' = 'none'
  touched = 0

  write<T>(work: () => T): T {
    this.touched++
    const before = this.row
    const result = work()
    if (this.fault === 'none') return result
    if (this.fault === 'lost') this.row = before
    throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'disk full')
  }
  read<T>(work: () => T): T {
    this.touched++
    return work()
  }
  find(): ApprovalRow | undefined {
    return this.row
  }
  insert(row: ApprovalRow): void {
    this.row = row
  }
  update(_before: ApprovalRow, after: ApprovalRow): void {
    this.row = after
  }
  newest(): readonly ApprovalRow[] {
    return this.row === undefined ? [] : [this.row]
  }
  prune(): void {}
  close(): void {}
}

class Store extends TableApprovalStore {
  constructor(readonly table: FaultyTable) {
    super(table)
  }
}

test.each(['lost', 'kept'] as const)(
  'a use whose commit fails (%s) is refused, and never becomes two',
  async (fault) => {
    const store = new Store(new FaultyTable())
    await store.create(requestOf('r1'), at(0))
    await store.resolve('r1', { state: 'approved' }, at(1))
    store.table.fault = fault
    expect(await codeOf(store.consume('r1', bindingOf('r1'), at(2)))).toBe('APPROVAL_STORE_FAILED')
    store.table.fault = 'none'
    expect(await codeOf(store.consume('r1', bindingOf('r1'), at(3)))).toBe(
      fault === 'lost' ? 'none' : 'APPROVAL_ALREADY_USED',
    )
    expect(await codeOf(store.consume('r1', bindingOf('r1'), at(4)))).toBe('APPROVAL_ALREADY_USED')
  },
)

test('wrong arguments never reach the table', async () => {
  const store = new Store(new FaultyTable())
  const never = new Date(Number.NaN)
  const calls = [
    store.create(requestOf('r1'), never),
    store.get('r1', never),
    store.get('', at(0)),
    store.resolve('r1', { state: 'pending' as never }, at(0)),
    store.resolve('r1', { state: 'approved' }, never),
    store.consume('r1', bindingOf('r1'), never),
    store.consume('r1', {} as never, at(0)),
    store.list({ limit: 0 }, at(0)),
    store.list({}, never),
    store.lease('q1', '', at(0)),
    store.lease('q1', 'A', never),
    store.renewLeases('', at(0)),
    store.renewLeases('A', never),
    store.endLease('', 'A', at(0)),
    store.endLease('q1', 'A', never),
  ]
  for (const call of calls) await expect(call).rejects.toThrow(TypeError)
  expect(store.table.touched).toBe(0)
})

test('a store without a table for questions refuses them, and keeps the others', async () => {
  const store = new Store(new FaultyTable())
  expect(await codeOf(store.create(questionOf('q1'), at(0)))).toBe('APPROVAL_STORE_FAILED')
  expect(store.table.row).toBeUndefined()
  expect((await store.create(requestOf('r1'), at(0))).state).toBe('pending')
  expect(await store.lease('r1', 'A', at(0))).toBe(false)
  await store.renewLeases('A', at(0))
  await store.endLease('r1', 'A', at(0))
  expect(await store.list({ ledger: questionOf('q1').asked?.ledger ?? expect.unreachable() }, at(0))).toEqual([])
})

test('a list filters the rows of a table that ignores the filter', async () => {
  const store = new Store(new FaultyTable())
  const { agentId, action } = await store.create(requestOf('r1'), at(0))
  expect(await store.list({ agentId, action }, at(0))).toHaveLength(1)
  expect(await store.list({ agentId: 'other' }, at(0))).toEqual([])
  expect(await store.list({ action: 'other' }, at(0))).toEqual([])
})
