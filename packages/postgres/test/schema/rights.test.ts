// Tests role separation: through the package and with plain SQL, each login can perform its own operations and none of
// another login's.
import { randomBytes, randomUUID } from 'node:crypto'
import { verify } from '@sudoagent/ledger'
import { copyLedger } from '@sudoagent/ledger/copy'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindingOf, requestOf } from '../../../core/test/fixtures/approval.js'
import { decisionDraft, testSigner } from '../../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { PostgresApprovalStore } from '../../src/approval/store.js'
import { PostgresBudget } from '../../src/budget/budget.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { openPostgresSink } from '../../src/ledger/sink.js'
import { schemaSql } from '../../src/schema/schema.js'
import { applySchema, grantWriter, openRights } from '../../src/schema-apply.js'
import { asSuperuser } from '../server/cluster.js'
import { newDatabase, newLogin, urlAs, willMakeRoles } from '../server/shared.js'

const schema = `s_${randomBytes(4).toString('hex')}`
const KINDS = ['owner', 'agent', 'other', 'approver', 'reader'] as const
type Kind = (typeof KINDS)[number]

let database: string
/** Returns the URL that a login uses for the database or for a ledger in the database. */
let as: (kind: Kind, ledger?: string) => string
let logins: Record<Kind, string>

beforeAll(async () => {
  database = `${await newDatabase({ roles: true, separateRoles: true, schema })}?schema=${schema}`
  logins = {
    owner: await newLogin(`IN ROLE ${schema}_owner`),
    agent: await newLogin(`IN ROLE ${schema}_writer`),
    other: await newLogin(`IN ROLE ${schema}_writer`),
    approver: await newLogin(`IN ROLE ${schema}_approver`),
    reader: await newLogin(`IN ROLE ${schema}_reader`),
  }
  as = (kind, ledger) => `${urlAs(logins[kind], database)}${ledger === undefined ? '' : `&ledger=${ledger}`}`
  await write('agent', 'payments', 1, 2)
  await write('other', 'tickets', 1, 2)
})

async function write(kind: Kind, ledger: string, ...numbers: readonly number[]): Promise<void> {
  const writer = await PostgresLedger.open(as(kind, ledger))
  try {
    for (const n of numbers) await writer.append(decisionDraft(n))
  } finally {
    await writer.close()
  }
}

const DENIED = '42501'
const REFUSED = '23001'

const codeOf = (kind: Kind, text: string): Promise<string> =>
  asSuperuser(as(kind).replace(/\?.*/, ''), text.replaceAll('$s', schema)).then(
    () => 'done',
    (error: { readonly code: string }) => error.code,
  )
const idOf = (ledger: string): string => `(SELECT id FROM $s.ledger WHERE name = '${ledger}')`

async function isSound(ledger: string): Promise<boolean> {
  const reader = await openPostgresLedger(as('reader', ledger))
  const { ok } = await verify(reader)
  await reader.close()
  return ok
}

describe('the writer of one ledger', () => {
  it.each([
    [
      'puts a row far behind the end of another',
      `INSERT INTO $s.entry VALUES (${idOf('tickets')}, 1000000, '{}', 'x', 'x', NULL)`,
      REFUSED,
    ],
    [
      'puts a stop into the index of another',
      `INSERT INTO $s.control VALUES (${idOf('tickets')}, 1, 'stop', NULL)`,
      DENIED,
    ],
    [
      'puts a row right behind the end of another',
      `INSERT INTO $s.entry SELECT ledger, size + 1, '{}', 'x', 'x', NULL FROM $s.head WHERE ledger = ${idOf('tickets')}`,
      REFUSED,
    ],
    [
      'puts a row before the first',
      `INSERT INTO $s.entry VALUES (${idOf('tickets')}, 0, '{}', 'x', 'x', NULL)`,
      REFUSED,
    ],
    [
      'puts a row into a ledger that is not there',
      "INSERT INTO $s.entry VALUES (999999, 1, '{}', 'x', 'x', NULL)",
      REFUSED,
    ],
    [
      'puts a row far behind its own end',
      `INSERT INTO $s.entry VALUES (${idOf('payments')}, 1000000, '{}', 'x', 'x', NULL)`,
      REFUSED,
    ],
    [
      'moves the head of another',
      `UPDATE $s.head SET size = 9007199254740991 WHERE ledger = ${idOf('tickets')}`,
      DENIED,
    ],
    [
      'moves its own head without entries',
      `UPDATE $s.head SET size = size + 1 WHERE ledger = ${idOf('payments')}`,
      REFUSED,
    ],
    ['moves all heads', 'UPDATE $s.head SET size = size + 1', /^(?:42501|23001)$/],
    ['takes another ledger over', `UPDATE $s.head SET epoch = epoch + 1 WHERE ledger = ${idOf('tickets')}`, DENIED],
    [
      'takes the checkpoint of another away',
      `UPDATE $s.head SET checkpoint = NULL WHERE ledger = ${idOf('tickets')}`,
      DENIED,
    ],
    [
      'moves the head of another with entries',
      `WITH moved AS (UPDATE $s.head SET size = size + 1 WHERE ledger = ${idOf('tickets')} RETURNING ledger, size)
       INSERT INTO $s.entry SELECT ledger, size, '{}', 'x', 'x', NULL FROM moved`,
      DENIED,
    ],
    [
      'grows by more than any of our statements',
      `WITH moved AS (UPDATE $s.head SET size = size + 514 WHERE ledger = ${idOf('payments')} RETURNING ledger, size)
       INSERT INTO $s.entry SELECT ledger, size - n, '{}', 'x', 'x', NULL FROM moved, generate_series(0, 513) AS n`,
      REFUSED,
    ],
    ['puts a tile into the tree of another', `INSERT INTO $s.tile VALUES (${idOf('tickets')}, 0, 0, 'x')`, DENIED],
    [
      'puts a cosigned checkpoint beside another',
      `INSERT INTO $s.cosigned VALUES (${idOf('tickets')}, 1, 'x')`,
      DENIED,
    ],
    ['binds itself to another', `INSERT INTO $s.ledger_writer SELECT id, session_user FROM $s.ledger`, DENIED],
  ] as const)('%s: refused', async (_, text, code) => {
    expect(await codeOf('agent', text)).toMatch(code)
    expect(await codeOf('reader', text)).not.toBe('done')
    expect([await isSound('payments'), await isSound('tickets')]).toEqual([true, true])
  })

  it('goes on with its own, alone, in groups, and as a copy', async () => {
    await write('agent', 'payments', 3)
    const writer = await PostgresLedger.open(as('agent', 'grouped'), { signer: testSigner(1) })
    await Promise.all(Array.from({ length: 600 }, (_, n) => writer.append(decisionDraft(n + 1))))
    await writer.addKey(testSigner(2))
    await writer.close()
    const reader = await openPostgresLedger(as('reader', 'grouped'))
    const sink = await openPostgresSink(as('agent', 'copied'))
    await copyLedger(reader, sink)
    await sink.close()
    await reader.close()
    expect([await isSound('payments'), await isSound('grouped'), await isSound('copied')]).toEqual([true, true, true])
  })

  it('gets no name by a copy that is refused: it is free for another', async () => {
    const sink = await openPostgresSink(as('agent', 'refused'))
    expect(await refusalOf(() => copyLedger(new MemoryLedger().reader(), sink))).toBe('ENTRY_NOT_FOUND')
    await sink.close()
    await write('other', 'refused', 1)
    expect(await isSound('refused')).toBe(true)
  })

  it('is not that of another, until it is granted', async () => {
    expect(await refusalOf(() => write('other', 'payments', 4))).toBe('LEDGER_NOT_READABLE')
    await grantWriter(as('owner'), 'payments', logins.other)
    await write('other', 'payments', 4)
    expect(await isSound('payments')).toBe(true)
    expect(await refusalOf(() => grantWriter(as('owner'), 'payments', 'nobody_has_this'))).toBe('LEDGER_NOT_FOUND')
    expect(await refusalOf(() => grantWriter(as('owner'), 'nothing', logins.other))).toBe('LEDGER_NOT_FOUND')
  })
})

describe('approvals', () => {
  async function asked(): Promise<string> {
    const id = randomUUID()
    const store = await PostgresApprovalStore.open(as('agent'))
    await store.create(requestOf(id, {}, 60_000, new Date()), new Date())
    await store.close()
    return id
  }

  it('are asked and used by the agent, and answered by an approver', async () => {
    const id = await asked()
    const agent = await PostgresApprovalStore.open(as('agent'))
    const approver = await PostgresApprovalStore.open(as('approver'))
    const yes = { state: 'approved', approverId: 'alice' } as const
    await expect(agent.resolve(id, yes, new Date())).rejects.toMatchObject({ code: 'APPROVAL_STORE_FAILED' })
    await approver.resolve(id, yes, new Date())
    await agent.consume(id, bindingOf(id), new Date())
    await expect(agent.consume(id, bindingOf(id), new Date())).rejects.toThrow()
    await agent.close()
    await approver.close()
  })

  it.each([
    [
      'answers its own',
      "UPDATE $s.approval SET state = 'approved', approver_id = 'cfo@corp', resolved_at_ms = 1 WHERE approval_id = '$id'",
      DENIED,
    ],
    [
      'makes one that is answered',
      "INSERT INTO $s.approval SELECT 'new', policy_hash, decision_hash, action, agent_id, reason, parameters_json, created_at_ms, expires_at_ms, 'approved', 'cfo@corp', NULL, 1, NULL FROM $s.approval WHERE approval_id = '$id'",
      REFUSED,
    ],
    ['puts it to another call', "UPDATE $s.approval SET decision_hash = 'c' WHERE approval_id = '$id'", REFUSED],
    ['makes it last', "UPDATE $s.approval SET expires_at_ms = expires_at_ms + 1 WHERE approval_id = '$id'", REFUSED],
    ['uses it unanswered', "UPDATE $s.approval SET consumed_at_ms = 1 WHERE approval_id = '$id'", REFUSED],
    ['deletes it', "DELETE FROM $s.approval WHERE approval_id = '$id'", REFUSED],
    ['gives itself the role', `GRANT $s_approver TO CURRENT_USER`, DENIED],
  ])('the login of an agent %s: refused', async (_, text, code) => {
    const id = await asked()
    expect(await codeOf('agent', text.replaceAll('$id', id))).toBe(code)
  })

  it('an answer is given once, and a use is not taken back', async () => {
    const id = await asked()
    const set = (what: string) => codeOf('approver', `UPDATE $s.approval SET ${what} WHERE approval_id = '${id}'`)
    expect(await set("state = 'denied', approver_id = 'alice', resolved_at_ms = 1")).toBe('done')
    expect(await set("state = 'approved'")).toBe(REFUSED)
    expect(await set("approver_id = 'bob'")).toBe(REFUSED)
    const other = await asked()
    const agent = (what: string) => codeOf('agent', `UPDATE $s.approval SET ${what} WHERE approval_id = '${other}'`)
    await codeOf(
      'approver',
      `UPDATE $s.approval SET state = 'approved', resolved_at_ms = 1 WHERE approval_id = '${other}'`,
    )
    expect(await agent('consumed_at_ms = 2')).toBe('done')
    expect(await agent('consumed_at_ms = NULL')).toBe(REFUSED)
  })
})

describe('budgets', () => {
  it('are charged, committed and given back; no charge is deleted or changed while a window reaches it', async () => {
    const budget = await PostgresBudget.open(as('agent'), { windowMs: 60_000, perAgent: 2, key: 'shared' } as never)
    const charge = (requestId: string) => ({ requestId, agentId: 'a', action: 'pay', cost: 1 })
    const [one, two] = [randomUUID(), randomUUID()]
    expect(await budget.reserve(charge(one), new Date())).toMatchObject({ allowed: true })
    await budget.commit(one, new Date())
    expect(await budget.reserve(charge(two), new Date())).toMatchObject({ allowed: true })
    await budget.release(two, new Date())
    for (const [text, code] of [
      ['DELETE FROM $s.budget_charge', REFUSED],
      ['UPDATE $s.budget_charge SET cost = 0', REFUSED],
      ["UPDATE $s.budget_charge SET agent_id = 'b' WHERE state = 'committed'", REFUSED],
      ['UPDATE $s.budget_charge SET charged_at_ms = 0', REFUSED],
      ['UPDATE $s.budget SET window_ms = 1', REFUSED],
      ['DELETE FROM $s.budget', REFUSED],
      ['TRUNCATE $s.budget_charge', DENIED],
      ["INSERT INTO $s.budget_charge VALUES ('shared', 'x', 'a', 'pay', 1, 9007199254740991, 1, 'committed')", REFUSED],
    ] as const)
      expect([text, await codeOf('agent', text)]).toEqual([text, code])
    await budget.close()
    // A charge that is older than every window can be deleted.
    expect(
      await codeOf('agent', "INSERT INTO $s.budget_charge VALUES ('shared', 'old', 'a', 'pay', 1, 1, 1, 'committed')"),
    ).toBe('done')
    expect(await codeOf('agent', "DELETE FROM $s.budget_charge WHERE request_id = 'old'")).toBe('done')
  })
})

it('says what the rights leave open', async () => {
  const both = await newLogin(`IN ROLE ${schema}_writer, ${schema}_approver`)
  expect(await openRights(as('owner'))).toEqual([`the login \`${both}\` can both write and approve`])
  const plain = await newDatabase({ roles: true, schema: `${schema}_p` })
  const url = `${plain}?schema=${schema}_p`
  expect(await openRights(url)).toHaveLength(3)
  const ledger = await PostgresLedger.open(`${url}&ledger=old`)
  await ledger.append(decisionDraft(1))
  await ledger.close()
  await willMakeRoles(`${schema}_p`)
  // By default, an existing database keeps its roles. If the same schema is applied again, nothing changes.
  expect(await applySchema(url)).toBe(false)
  expect(await applySchema(url, { separateRoles: true })).toBe(true)
  expect(await applySchema(url)).toBe(true)
  expect(await openRights(url)).toEqual([`every login of \`${schema}_p_writer\` can append to the ledger \`old\``])
  const again = await PostgresLedger.open(`${url}&ledger=old`)
  expect((await again.append(decisionDraft(2))).position).toBe(3)
  await again.close()
})

it('comes with the tables of a new database, unless told', async () => {
  const made = `${schema}_n`
  await willMakeRoles(made)
  const url = `${await newDatabase({ tables: false })}?schema=${made}`
  expect(await applySchema(url)).toBe(true)
  expect(await openRights(url)).toEqual([])
  expect(schemaSql({ schema: made, roles: false, separateRoles: true })).not.toContain(`${made}_approver`)
})
