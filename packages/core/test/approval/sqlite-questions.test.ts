// Tests the table of questions in a SQLite file that other programs have written to.
import { sha256Hex } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { LEASE_MS } from '../../src/approval/approval.js'
import { SqliteApprovalStore } from '../../src/approval/sqlite-store.js'
import { SqliteBudget } from '../../src/budget/sqlite.js'
import { QUESTION_SCHEMA } from '../../src/sqlite-schema.js'
import { at, codeOf, questionOf, requestOf, START_MS } from '../fixtures/approval.js'
import { race } from '../fixtures/child.js'
import { temporaryPath } from '../fixtures/temporary.js'

const QUESTION = questionOf('q1', {
  authority: { tenant: 'acme' },
  asked: { commitment: { key_id: '0123456789abcdef', hmac: sha256Hex('hmac') } },
})

describe('a question of which another program changed a value', () => {
  test.each([
    ['the action', `action = 'read_calendar'`],
    ['the agent', `agent_id = 'other'`],
    ['the arguments', `parameters_json = '{"args":[],"kwargs":{"amount":5}}'`],
    ['the time of the decision', `decision_at = '2026-01-02T03:04:06.000000Z'`],
    ['a time of another form', `decision_at = '2026'`],
    ['the source', `source = 'python'`],
    ['the policy', `policy_hash = decision_hash`],
    ['the hash of the decision', `decision_hash = policy_hash`],
    ['the authority', `authority_json = '{"tenant":"other"}'`],
    ['the authority, left out', `authority_json = NULL`],
    ['an authority without a hash', `authority_hash = NULL`],
    ['an authority of another shape', `authority_json = '{"tenant":""}'`],
    ['the requirement', `requirement_json = replace(requirement_json, 'refunds', 'others')`],
    ['the hash of the requirement', `requirement_hash = decision_hash`],
    ['a requirement of another shape', `requirement_json = '{}'`],
    ['metadata of another shape', `metadata_json = '[]'`],
    ['metadata that is not canonical', `metadata_json = '{ }'`],
    ['metadata as bytes', `metadata_json = x'7b7d'`],
    ['endless metadata', `metadata_json = '{"a":"' || printf('%.*c', 1100000, 'x') || '"}'`],
    ['endless arguments', `parameters_json = printf('%.*c', 50000000, ' ')`],
    ['a commitment of another shape', `commitment_json = '{"key_id":"x"}'`],
    ['an endless commitment', `commitment_json = printf('%.*c', 100000, ' ')`],
    ['a ledger that is no hash', `ledger = 'x'`],
    ['a position before the first', `position = 0`],
    ['a position that is a text', `position = 'x'`],
    ['a count below zero', `redacted = -1`],
    ['no policy', `policy_id = ''`],
    ['an endless version', `policy_version = printf('%.*c', 257, 'x')`],
    ['an endless reason', `reason = printf('%.*c', 20000, 'x')`],
    ['a lifetime above seven days', `expires_at_ms = created_at_ms + 604800001`],
    ['an end before the beginning', `expires_at_ms = created_at_ms`],
    ['a state that there is none of', `state = 'granted'`],
    ['an approval without a time', `state = 'approved'`],
    ['an approval after the deadline', `state = 'approved', resolved_at_ms = expires_at_ms`],
    ['a use without an approval', `consumed_at_ms = created_at_ms`],
    ['an answer while pending', `note = 'x'`],
    ['a lease without a holder', `leased_until_ms = 5`],
    ['a holder without an end of the lease', `lease_holder = 'A'`],
    ['an endless holder', `lease_holder = printf('%.*c', 129, 'x'), leased_until_ms = 5`],
    ['an end of the lease that is text', `lease_holder = 'A', leased_until_ms = 'x'`],
  ])('%s: is a coded error, is left out of a list, and is never acted on', async (_name, change) => {
    const path = temporaryPath('approvals.sqlite')
    const store = SqliteApprovalStore.open(path)
    await store.create(QUESTION, at(0))
    await store.create(questionOf('q2'), at(0))
    const hostile = new Database(path)
    hostile.exec(`UPDATE sudoagent_question SET ${change} WHERE approval_id = 'q1'`)
    const rows = () => hostile.prepare('SELECT * FROM sudoagent_question').all()
    const before = rows()
    expect(await codeOf(store.get('q1', at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.create(QUESTION, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.resolve('q1', { state: 'approved' }, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.consume('q1', QUESTION.binding, at(1)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.lease('q1', 'B', at(1)))).toBe('APPROVAL_STORE_FAILED')
    const invalid: string[] = []
    const listed = await store.list({ onInvalid: (id) => invalid.push(id) }, at(1))
    expect([listed.map(({ approvalId }) => approvalId), invalid]).toEqual([['q2'], ['q1']])
    expect(rows()).toEqual(before)
    hostile.close()
    await store.close()
  })
})

test('an id in both tables is an error', async () => {
  const path = temporaryPath('approvals.sqlite')
  const store = SqliteApprovalStore.open(path)
  await store.create(QUESTION, at(0))
  await store.create(requestOf('r1'), at(0))
  const hostile = new Database(path)
  hostile.exec(`UPDATE sudoagent_approval SET approval_id = 'q1'`)
  hostile.close()
  expect(await codeOf(store.get('q1', at(1)))).toBe('APPROVAL_STORE_FAILED')
  expect(await codeOf(store.resolve('q1', { state: 'approved' }, at(1)))).toBe('APPROVAL_STORE_FAILED')
  await store.close()
})

test('old questions go in bounded batches', async () => {
  const path = temporaryPath('approvals.sqlite')
  const store = SqliteApprovalStore.open(path)
  for (let i = 0; i < 150; i++) await store.create(questionOf(`q${i}`), at(0))
  const db = new Database(path, { readonly: true })
  const rows = () => db.prepare('SELECT count(*) FROM sudoagent_question').pluck().get()
  const later = at(2 * 86_400_000)
  const counts: unknown[] = []
  for (const request of [questionOf('new', {}, 60_000, later), requestOf('r1', {}, 60_000, later)]) {
    await store.create(request, later)
    counts.push(rows())
  }
  expect(counts).toEqual([51, 1])
  db.close()
  await store.close()
})

test('a file of an earlier day gets the table, and shares it with a budget', async () => {
  const path = temporaryPath('approvals.sqlite')
  const before = SqliteApprovalStore.open(path)
  await before.create(requestOf('r1'), at(0))
  await before.close()
  const db = new Database(path)
  db.exec('DROP TABLE sudoagent_question')
  db.close()
  const store = SqliteApprovalStore.openExisting(path)
  await store.create(QUESTION, at(0))
  expect(await store.list({}, at(0))).toHaveLength(2)
  const budget = SqliteBudget.open(path, { perTool: 1, windowMs: 60_000 })
  await budget.close()
  await store.close()
})

test('processes that lease the same questions at the same time: one gets each', async () => {
  const path = temporaryPath('approvals.sqlite')
  const store = SqliteApprovalStore.open(path)
  const ids = Array.from({ length: 50 }, (_, i) => `q${i}`)
  for (const id of ids) await store.create(questionOf(id), at(0))
  const input = (holder: string) => ({ path, nowMs: START_MS, method: 'lease', steps: ids.map((id) => [id, holder]) })
  const [a, b] = (await race('approval-child.mjs', [input('A'), input('B')])) as [boolean[], boolean[]]
  for (const [i, id] of ids.entries()) {
    expect([id, a[i], b[i]]).toEqual([id, a[i] === true, a[i] !== true])
    expect(await store.lease(id, a[i] === true ? 'B' : 'A', at(LEASE_MS - 1))).toBe(false)
  }
  await store.close()
})

test('a list of a call, and the renewal of leases, use an index', () => {
  const path = temporaryPath('approvals.sqlite')
  const db = new Database(path)
  db.exec(QUESTION_SCHEMA)
  const plan = (text: string) =>
    (db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[]).map(({ detail }) => detail)
  const list = `SELECT rowid FROM sudoagent_question WHERE agent_id = 'a' AND action = 'b' AND state = 'pending' AND expires_at_ms > 5
    ORDER BY created_at_ms DESC, position DESC, approval_id DESC LIMIT 5`
  expect(plan(list)).toEqual([
    expect.stringMatching(/^SEARCH .* USING COVERING INDEX .*\(agent_id=\? AND action=\?\)$/),
  ])
  expect(
    plan(`UPDATE sudoagent_question SET leased_until_ms = 5 WHERE lease_holder = 'A' AND state = 'pending'`),
  ).toEqual([expect.stringMatching(/^SEARCH .* USING INDEX .*\(lease_holder=\?\)$/)])
  db.close()
})

test('a table of another form is refused', () => {
  const path = temporaryPath('approvals.sqlite')
  const db = new Database(path)
  db.exec('CREATE TABLE sudoagent_question (approval_id TEXT)')
  db.close()
  expect(() => SqliteApprovalStore.open(path)).toThrow(expect.objectContaining({ code: 'APPROVAL_STORE_FAILED' }))
})
