// Tests the separate roles on the table of questions. `rights.test.ts` tests the other tables.
import { randomBytes, randomUUID } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { questionOf } from '../../../core/test/fixtures/approval.js'
import { PostgresApprovalStore } from '../../src/approval/store.js'
import { applySchema, openRights } from '../../src/schema-apply.js'
import { asSuperuser } from '../server/cluster.js'
import { newDatabase, newLogin, urlAs, willMakeRoles } from '../server/shared.js'

const schema = `s_${randomBytes(4).toString('hex')}`
const DENIED = '42501'
const REFUSED = '23001'

type Kind = 'agent' | 'approver' | 'reader'
let as: (kind: Kind) => string
beforeAll(async () => {
  const database = `${await newDatabase({ roles: true, separateRoles: true, schema })}?schema=${schema}`
  const logins = {
    agent: await newLogin(`IN ROLE ${schema}_writer`),
    approver: await newLogin(`IN ROLE ${schema}_approver`),
    reader: await newLogin(`IN ROLE ${schema}_reader`),
  }
  as = (kind) => urlAs(logins[kind], database)
})

const codeOf = (kind: Kind, text: string): Promise<string> =>
  asSuperuser(as(kind).replace(/\?.*/, ''), text.replaceAll('$s', schema)).then(
    () => 'done',
    (error: { readonly code: string }) => error.code,
  )

it('questions are asked and used by the agent, answered by an approver, and never changed', async () => {
  const id = randomUUID()
  const question = questionOf(id, {}, 60_000, new Date())
  const agent = await PostgresApprovalStore.open(as('agent'))
  await agent.create(question, new Date())
  const yes = { state: 'approved', approverId: 'alice' } as const
  await expect(agent.resolve(id, yes, new Date())).rejects.toMatchObject({ code: 'APPROVAL_STORE_FAILED' })
  const where = `WHERE approval_id = '${id}'`
  for (const [text, code] of [
    [`UPDATE $s.question SET state = 'approved', resolved_at_ms = 1 ${where}`, DENIED],
    [`UPDATE $s.question SET lease_holder = 'A', state = 'approved', resolved_at_ms = 1 ${where}`, DENIED],
    [`UPDATE $s.question SET requirement_json = '{}' ${where}`, REFUSED],
    [`UPDATE $s.question SET position = 1 ${where}`, REFUSED],
    [`UPDATE $s.question SET metadata_json = '{}', reason = '' ${where}`, REFUSED],
    [`UPDATE $s.question SET consumed_at_ms = 1 ${where}`, REFUSED],
    [`UPDATE $s.question SET lease_holder = 'A', leased_until_ms = 5, reason = '' ${where}`, REFUSED],
    [`DELETE FROM $s.question ${where}`, REFUSED],
  ] as const)
    expect([text, await codeOf('agent', text)]).toEqual([text, code])
  expect(await codeOf('reader', 'SELECT FROM $s.question')).toBe(DENIED)
  expect(await agent.lease(id, 'A', new Date())).toBe(true)
  await agent.renewLeases('A', new Date())
  const approver = await PostgresApprovalStore.open(as('approver'))
  const lease = `UPDATE $s.question SET lease_holder = 'B', leased_until_ms = 5 ${where}`
  expect(await codeOf('approver', lease)).toBe(DENIED)
  expect(await codeOf('approver', `UPDATE $s.question SET lease_holder = NULL, leased_until_ms = NULL ${where}`)).toBe(
    DENIED,
  )
  await expect(approver.endLease(id, 'A', new Date())).rejects.toMatchObject({ code: 'APPROVAL_STORE_FAILED' })
  await approver.renewLeases('B', new Date())
  expect(await approver.resolve(id, yes, new Date())).toMatchObject({ leasedUntil: expect.any(Date) })
  expect(await agent.lease(id, 'B', new Date())).toBe(false)
  await agent.consume(id, question.binding, new Date())
  await agent.endLease(id, 'A', new Date())
  expect(await codeOf('approver', `UPDATE $s.question SET consumed_at_ms = NULL ${where}`)).toBe(REFUSED)
  await agent.close()
  await approver.close()
})

it.each([
  ['question', 'question_moves'],
  ['open_question', 'question_is_ours'],
])('counts a database as separate that does not have the table `%s` yet', async (table, trigger) => {
  const made = `${schema}_${table}`
  await willMakeRoles(made)
  const url = `${await newDatabase({ tables: false })}?schema=${made}`
  expect(await applySchema(url)).toBe(true)
  await asSuperuser(url.replace(/\?.*/, ''), `DROP TABLE ${made}.${table}`)
  expect(await openRights(url)).toEqual([])
  expect(await applySchema(url)).toBe(true)
  await asSuperuser(url.replace(/\?.*/, ''), `DROP TRIGGER ${trigger} ON ${made}.${table}`)
  expect(await openRights(url)).toHaveLength(3)
})
