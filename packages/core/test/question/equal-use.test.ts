// Tests which earlier calls an approver sees.
import { expect, it } from 'vitest'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { equalUseText, latestEqualUse } from '../../src/terminal.js'
import { at, questionOf } from '../fixtures/approval.js'

const NOW = at(1_000_000)
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000)
/** A question of an hour. */
const hour = (id: string, change: Parameters<typeof questionOf>[1] = {}) => questionOf(id, change, 3_600_000)

/** Stores a question that was approved and, unless `usedAgo` is null, used that number of seconds ago. */
async function used(
  store: MemoryApprovalStore,
  id: string,
  usedAgo: number | null,
  change: Parameters<typeof questionOf>[1] = {},
) {
  const request = hour(id, change)
  await store.create(request, at(0))
  await store.resolve(id, { state: 'approved', approverId: 'ada', binding: request.binding }, at(1))
  if (usedAgo !== null) await store.consume(id, request.binding, ago(usedAgo))
  return request
}

it.each<[string, number | null, object, number | null]>([
  ['ran 12 s ago', 12, {}, 12],
  ['ran more than ten minutes ago', 601, {}, null],
  ['was approved and did not run', null, {}, null],
  ['is of another agent', 12, { agentId: 'other' }, null],
  ['is another action', 12, { action: 'other' }, null],
  ['has other arguments', 12, { kwargs: { amount: 501 } }, null],
])('an equal call that %s', async (_, usedAgo, change, expected) => {
  const store = new MemoryApprovalStore()
  await used(store, 'earlier', usedAgo, change)
  expect(await latestEqualUse(store, hour('now'), NOW)).toEqual(expected === null ? null : ago(expected))
})

it('names the latest of several, and not the call itself', async () => {
  const store = new MemoryApprovalStore()
  await used(store, 'one', 500)
  await used(store, 'two', 30)
  const itself = await used(store, 'three', 5)
  expect(await latestEqualUse(store, itself, NOW)).toEqual(ago(30))
  expect(equalUseText(ago(30), NOW)).toBe('an equal call of this agent ran 30 s ago, at 2026-01-02T03:20:15.000Z')
})

it('of a store that fails or cannot list, there is none', async () => {
  const asked = hour('now')
  const failing = { list: () => Promise.reject(new Error('gone')) } as unknown as MemoryApprovalStore
  expect(await latestEqualUse(failing, asked, NOW)).toBeNull()
  expect(await latestEqualUse({} as MemoryApprovalStore, asked, NOW)).toBeNull()
})
