import { expect, test } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { at, codeOf, questionOf, requestOf } from '../fixtures/approval.js'
import { approvalStoreContract } from './contract.js'

approvalStoreContract('MemoryApprovalStore', () => new MemoryApprovalStore())

test.each([
  ['approvals', (id: string) => requestOf(id)],
  ['questions', (id: string) => questionOf(id)],
])('a flood of open %s is refused; finished ones make room', async (_, make) => {
  const store = new MemoryApprovalStore()
  for (let i = 0; i < 10_000; i++) await store.create(make(`r${i}`), at(0))
  expect(await codeOf(store.create(make('one more'), at(0)))).toBe('APPROVAL_STORE_FAILED')
  await store.resolve('r5000', { state: 'denied' }, at(1))
  expect(await codeOf(store.create(make('one more'), at(1)))).toBe('none')
  expect(await store.get('r5000', at(1))).toBeUndefined()
  expect((await store.get('r0', at(1)))?.state).toBe('pending')
})
