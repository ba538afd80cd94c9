import { expect, test } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { at, codeOf, requestOf } from '../fixtures/approval.js'
import { approvalStoreContract } from './contract.js'

approvalStoreContract('MemoryApprovalStore', () => new MemoryApprovalStore())

test('a flood of open approvals is refused; finished ones make room', async () => {
  const store = new MemoryApprovalStore()
  for (let i = 0; i < 10_000; i++) await store.create(requestOf(`r${i}`), at(0))
  expect(await codeOf(store.create(requestOf('one more'), at(0)))).toBe('APPROVAL_STORE_FAILED')
  await store.resolve('r5000', { state: 'denied' }, at(1))
  expect(await codeOf(store.create(requestOf('one more'), at(1)))).toBe('none')
  expect(await store.get('r5000', at(1))).toBeUndefined()
  expect((await store.get('r0', at(1)))?.state).toBe('pending')
})
