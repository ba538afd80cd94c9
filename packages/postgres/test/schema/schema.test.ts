import { randomBytes } from 'node:crypto'
import { verify } from '@sudoagent/ledger'
import { beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft } from '../../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { schemaSql } from '../../src/schema/schema.js'
import { asSuperuser } from '../server/cluster.js'
import { ledgerUrl, newDatabase, newLogin, urlAs } from '../server/shared.js'

const schema = `s_${randomBytes(4).toString('hex')}`
let database: string
let url: string
/** Returns the URL for a login with one of the schema's roles. */
let as: (kind: 'owner' | 'writer' | 'reader') => string

beforeAll(async () => {
  database = await newDatabase({ roles: true, schema })
  url = `${ledgerUrl(database, 'payments')}&schema=${schema}`
  const logins = {
    owner: await newLogin(`IN ROLE ${schema}_owner`),
    writer: await newLogin(`IN ROLE ${schema}_writer`),
    reader: await newLogin(`IN ROLE ${schema}_reader`),
  }
  as = (kind) => urlAs(logins[kind], url)
  const ledger = await PostgresLedger.open(as('writer'))
  await ledger.append(decisionDraft(1))
  await ledger.append(decisionDraft(2))
  await ledger.close()
})

const codeOf = (kind: 'owner' | 'writer' | 'reader', text: string): Promise<string> =>
  asSuperuser(as(kind).replace(/\?.*/, ''), text.replaceAll('$s', schema)).then(
    () => 'done',
    (error: { readonly code: string }) => error.code,
  )

const DENIED = '42501'
const REFUSED = '23001'

describe('the writer', () => {
  it('appends, and a reader can verify it', async () => {
    const reader = await openPostgresLedger(as('reader'))
    expect(await verify(reader)).toMatchObject({ ok: true, entries: 3 })
    await reader.close()
  })

  it.each([
    ['UPDATE $s.entry SET entry_json = entry_json'],
    ['DELETE FROM $s.entry'],
    ['TRUNCATE $s.entry'],
    ['DELETE FROM $s.head'],
    ['INSERT INTO $s.head (ledger, size) VALUES (9, -1)'],
    ['UPDATE $s.head SET ledger = ledger + 1'],
    ['DELETE FROM $s.tile'],
    ['UPDATE $s.ledger SET name = name'],
    ['UPDATE $s.meta SET version = 2'],
    ['DROP TABLE $s.entry'],
    ['ALTER TABLE $s.entry DISABLE TRIGGER ALL'],
    ['CREATE TABLE $s.more (x int)'],
  ])('may not %s', async (text) => {
    expect(await codeOf('writer', text)).toBe(DENIED)
  })

  it('cannot move a head back', async () => {
    expect(await codeOf('writer', 'UPDATE $s.head SET size = size - 1')).toBe(REFUSED)
    expect(await codeOf('writer', 'UPDATE $s.head SET epoch = epoch - 1')).toBe(REFUSED)
  })

  it('that puts an entry behind the head by other means stops all writers, and verify tells', async () => {
    const aside = `${url.replace('payments', 'aside')}`
    const ledger = await PostgresLedger.open(aside)
    await ledger.append(decisionDraft(1))
    const put = `INSERT INTO $s.entry SELECT ledger, 3, entry_json, entry_hash, prev_entry_hash FROM $s.entry
      WHERE position = 2 AND ledger = (SELECT id FROM $s.ledger WHERE name = 'aside')`
    expect(await codeOf('writer', put)).toBe('done')
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_DAMAGED')
    expect(await refusalOf(() => PostgresLedger.open(aside))).toBe('LEDGER_DAMAGED')
    await ledger.close()
    const reader = await openPostgresLedger(aside)
    expect((await verify(reader)).ok).toBe(false)
    await reader.close()
  })
})

describe('the reader', () => {
  it.each([
    ["INSERT INTO $s.ledger (name) VALUES ('x')"],
    ['UPDATE $s.head SET epoch = epoch + 1'],
    ['SELECT * FROM $s.head FOR UPDATE'],
    ["INSERT INTO $s.entry VALUES (1, 9, '{}', '', NULL, NULL)"],
    ['SELECT * FROM $s.approval'],
    ['SELECT * FROM $s.budget_charge'],
  ])('may not %s', async (text) => {
    expect(await codeOf('reader', text)).toBe(DENIED)
  })

  it('cannot be a writer', async () => {
    expect(await refusalOf(() => PostgresLedger.open(as('reader')))).toBe('LEDGER_NOT_READABLE')
  })
})

it('the owner, too, is refused by a trigger until it is taken away by name', async () => {
  for (const text of ['UPDATE $s.entry SET entry_json = entry_json', 'DELETE FROM $s.entry', 'TRUNCATE $s.entry'])
    expect(await codeOf('owner', text)).toBe(REFUSED)
  expect(await codeOf('owner', 'TRUNCATE $s.head')).toBe(REFUSED)
  const toAnother = `INSERT INTO $s.ledger (name) VALUES ('another');
    UPDATE $s.head SET ledger = (SELECT max(id) FROM $s.ledger) WHERE ledger = (SELECT min(ledger) FROM $s.head)`
  expect(await codeOf('owner', toAnother)).toBe(REFUSED)
})

it('brings tables of an earlier day up to date, and writers go on', async () => {
  const old = await newDatabase()
  const url = `${old}?ledger=payments`
  const before = await PostgresLedger.open(url)
  await before.append(decisionDraft(1))
  await before.close()
  await asSuperuser(old, 'ALTER TABLE sudoagent.head DROP COLUMN recorded_at')
  expect(await refusalOf(() => PostgresLedger.open(url))).toBe('LEDGER_NOT_A_LEDGER')
  await asSuperuser(old, schemaSql({ schema: 'sudoagent', roles: false }))
  const after = await PostgresLedger.open(url)
  expect((await after.append(decisionDraft(2))).position).toBe(3)
  await after.close()
})

it('may be applied again, with a ledger in it, and leaves it as it is', async () => {
  await asSuperuser(database, schemaSql({ schema, roles: true }))
  const reader = await openPostgresLedger(as('reader'))
  expect(await verify(reader)).toMatchObject({ ok: true, entries: 3 })
  await reader.close()
})
