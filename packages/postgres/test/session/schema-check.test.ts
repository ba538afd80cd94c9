// Tests tables that the owner of the schema replaced or changed. Such a table must be refused before it is read, so
// that no planted code runs with the privileges of a reader or writer.
import { describe, expect, it } from 'vitest'
import { decisionDraft } from '../../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { PostgresApprovalStore } from '../../src/approval/store.js'
import { PostgresBudget } from '../../src/budget/budget.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { listLedgers } from '../../src/ledger/name.js'
import { openPostgresLedger, openReadSession } from '../../src/ledger/reader.js'
import { parseTarget } from '../../src/session/target.js'
import { asSuperuser } from '../server/cluster.js'
import { ledgerUrl, newDatabase } from '../server/shared.js'

/** Creates a database that contains a ledger, then runs the statements. */
async function changed(...statements: readonly string[]): Promise<string> {
  const database = await newDatabase()
  const ledger = await PostgresLedger.open(ledgerUrl(database, 'payments'))
  await ledger.append(decisionDraft(1))
  await ledger.close()
  await asSuperuser(database, TRAP)
  for (const statement of statements) await asSuperuser(database, statement)
  return database
}

/** SQL code that must never run. If this code runs, it inserts a row. */
const TRAP = `CREATE SCHEMA trap; CREATE TABLE trap.ran (who text);
  CREATE FUNCTION trap.spring(x anyelement) RETURNS anyelement LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO trap.ran VALUES (session_user); RETURN x; END $$;
  CREATE FUNCTION trap.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.ran VALUES (session_user); RETURN NULL; END $$;`

const s = 'sudoagent'
const asView = (table: string, column: string): readonly string[] => [
  `ALTER TABLE ${s}.${table} RENAME TO real_${table}`,
  `CREATE VIEW ${s}.${table} AS SELECT (trap.spring(r)).* FROM ${s}.real_${table} AS r WHERE trap.spring(${column}) IS NOT NULL`,
]

const CASES: readonly (readonly [what: string, ...statements: string[]])[] = [
  ['a view in the place of `meta`', ...asView('meta', 'version')],
  ['a view in the place of `ledger`', ...asView('ledger', 'name')],
  ['a view in the place of `entry`', ...asView('entry', 'entry_json')],
  ['a view in the place of `cosigned`', ...asView('cosigned', 'checkpoint')],
  [
    'a materialized view in the place of `tile`',
    `ALTER TABLE ${s}.tile RENAME TO real_tile`,
    `CREATE MATERIALIZED VIEW ${s}.tile AS SELECT * FROM ${s}.real_tile`,
  ],
  [
    'a partitioned table in the place of `cosigned`',
    `ALTER TABLE ${s}.cosigned RENAME TO real_cosigned`,
    `CREATE TABLE ${s}.cosigned (ledger integer, size bigint, checkpoint text) PARTITION BY RANGE (ledger)`,
  ],
  ['a table that a crash empties', `ALTER TABLE ${s}.entry SET UNLOGGED`],
  ['row security, which hides rows', `ALTER TABLE ${s}.entry ENABLE ROW LEVEL SECURITY`],
  ['forced row security', `ALTER TABLE ${s}.head FORCE ROW LEVEL SECURITY`],
  ['a rule', `CREATE RULE more AS ON INSERT TO ${s}.entry DO ALSO SELECT trap.spring(1)`],
  ['a child table, whose rows count as those of `entry`', `CREATE TABLE trap.more () INHERITS (${s}.entry)`],
  ['a foreign owner of one table', `ALTER TABLE ${s}.tile OWNER TO pg_monitor`],
  [
    'a domain as the type of a column',
    `CREATE DOMAIN trap.hash AS text`,
    `ALTER TABLE ${s}.entry ALTER COLUMN entry_hash TYPE trap.hash`,
  ],
  [
    'a trigger whose function is foreign',
    `CREATE TRIGGER more AFTER INSERT ON ${s}.entry FOR EACH ROW EXECUTE FUNCTION trap.fire()`,
  ],
  [
    'a default whose function is foreign',
    `ALTER TABLE ${s}.head ALTER COLUMN writer SET DEFAULT trap.spring('x'::text)`,
  ],
  ['a check whose function is foreign', `ALTER TABLE ${s}.cosigned ADD CHECK (trap.spring(size) > 0)`],
  [
    'an index whose function is foreign',
    `CREATE FUNCTION trap.pure(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN x; END $$`,
    `CREATE INDEX more ON ${s}.entry (trap.pure(entry_hash))`,
  ],
]

describe.each(CASES)('%s', (_, ...statements) => {
  it('is refused by readers and writers, and nothing of it runs', async () => {
    const database = await changed(...statements)
    const url = ledgerUrl(database, 'payments')
    const openers: readonly (() => Promise<unknown>)[] = [
      () => listLedgers(database),
      () => openPostgresLedger(url),
      () => PostgresLedger.open(url),
    ]
    for (const open of openers) expect(await refusalOf(open)).toBe('LEDGER_NOT_A_LEDGER')
    await expect(PostgresApprovalStore.open(database)).rejects.toMatchObject({ code: 'APPROVAL_STORE_FAILED' })
    await expect(PostgresBudget.open(database, { windowMs: 1_000, perAgent: { default: 1 } })).rejects.toThrow()
    expect(await asSuperuser(database, 'SELECT * FROM trap.ran')).toEqual([])
  })
})

it('a session that reads can write nothing, and what it checked cannot be replaced while it lasts', async () => {
  const database = await changed()
  const session = await openReadSession(parseTarget(database))
  const [locks] = await asSuperuser(
    database,
    `SELECT array_agg(DISTINCT relname::text ORDER BY relname::text) AS held FROM pg_locks JOIN pg_class c ON c.oid = relation
     JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'sudoagent' AND mode = 'AccessShareLock' AND relkind = 'r'`,
  )
  expect(locks).toEqual({ held: ['cosigned', 'entry', 'head', 'ledger', 'meta', 'tile'] })
  await expect(session.ask("SELECT set_config('transaction_read_only', 'off', false)")).rejects.toThrow()
  await session.close()
  const writing = await openReadSession(parseTarget(database))
  await expect(writing.ask('SELECT trap.spring(1)')).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
  await writing.close()
  expect(await asSuperuser(database, 'SELECT * FROM trap.ran')).toEqual([])
})

it('what is as it was made is opened', async () => {
  const database = await changed()
  expect((await listLedgers(database)).map(({ name }) => name)).toEqual(['payments'])
  const reader = await openPostgresLedger(database, { ledger: 'payments' })
  expect(reader.sizeHint).toBe(2)
  await reader.close()
})
