// Tests questions that outlive the process that asked: it is killed, or stopped and continued, and another process
// resumes the call.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { isLong } from '../../../../test/tier.js'
import type { ApprovalStore } from '../../src/approval/approval.js'
import { SqliteApprovalStore } from '../../src/sqlite.js'
import { Child } from '../fixtures/child.js'
import { kindsOf, shelf } from '../fixtures/questions.js'

/** A process that makes the call, or resumes it. */
async function started(folder: string, approvalId: string | null, wait = true): Promise<Child> {
  const child = new Child('resume.mjs', { folder, approvalId, wait })
  expect(await child.line()).toBe('ready')
  child.go()
  return child
}

/** The id of the only question, when a process waits for its answer. */
async function waitedFor(store: ApprovalStore): Promise<string> {
  const waiting = async () =>
    (await store.list({ state: 'pending' }, new Date())).filter(({ leasedUntil }) => leasedUntil !== null)
  await expect.poll(async () => (await waiting()).length, { timeout: 20_000 }).toBe(1)
  return (await waiting())[0]?.approvalId ?? ''
}

it('is killed while it waits: the answer is used by the process that resumes, once', { timeout: 60_000 }, async () => {
  const place = shelf('sqlite')
  const folder = dirname(place.path)
  const asking = await started(folder, null)
  const store = SqliteApprovalStore.open(join(folder, 'approvals.sqlite'))
  const id = await waitedFor(store)
  await asking.killed()
  await store.resolve(id, { state: 'approved', approverId: 'alice' }, new Date())
  const resuming = [await started(folder, id), await started(folder, id)]
  const answers = await Promise.all(resuming.map((child) => child.result()))
  expect(answers).toContainEqual({ status: 'allowed', requestId: id, code: null })
  expect(answers).toContainEqual({ status: 'denied', requestId: id, code: 'APPROVAL_ALREADY_USED' })
  expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe(`${id}\n`)
  expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
  expect((await place.report()).ok).toBe(true)
  await store.close()
})

// Ten seconds, until the lease of the stopped process ends.
it.runIf(isLong)('is stopped, resumed elsewhere, and continued: it runs once', { timeout: 60_000 }, async () => {
  const place = shelf('sqlite')
  const folder = dirname(place.path)
  const asking = await started(folder, null)
  const store = SqliteApprovalStore.open(join(folder, 'approvals.sqlite'))
  const id = await waitedFor(store)
  asking.signal('SIGSTOP')
  expect(await (await started(folder, id, false)).result()).toMatchObject({ status: 'pending', requestId: id })
  await store.resolve(id, { state: 'approved', approverId: 'alice' }, new Date())
  expect(await (await started(folder, id)).result()).toMatchObject({ status: 'allowed', requestId: id })
  asking.signal('SIGCONT')
  expect(await asking.result()).toEqual({ status: 'denied', requestId: id, code: 'APPROVAL_ALREADY_USED' })
  expect(readFileSync(join(folder, 'ran'), 'utf8')).toBe(`${id}\n`)
  expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
  await store.close()
})

it('does not wait: its question is approved and the repeated call of another process runs', async () => {
  const place = shelf('sqlite')
  const folder = dirname(place.path)
  const asked = (await (await started(folder, null, false)).result()) as { readonly requestId: string }
  expect(asked).toMatchObject({ status: 'pending' })
  const store = SqliteApprovalStore.open(join(folder, 'approvals.sqlite'))
  expect(await (await started(folder, null, false)).result()).toEqual(asked)
  await store.resolve(asked.requestId, { state: 'approved', approverId: 'alice' }, new Date())
  expect(await (await started(folder, null, false)).result()).toMatchObject({
    status: 'allowed',
    requestId: asked.requestId,
  })
  expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
  await store.close()
})
