// Tests the settings that a server must have before a writer writes anything, and the errors for other settings.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft } from '../../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { PostgresLedger, type PostgresLedgerOptions } from '../../src/ledger/ledger.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { Session } from '../../src/session/session.js'
import { parseTarget } from '../../src/session/target.js'
import { asSuperuser } from '../server/cluster.js'
import { ledgerUrl, newDatabase } from '../server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

/** Returns the value of `synchronous_commit` in a writer's session, as the server sees it. */
const commitOf = async (url: string, options: PostgresLedgerOptions = {}): Promise<string> => {
  const session = await Session.open({
    target: parseTarget(url),
    access: 'write',
    synchronousCommit: options.synchronousCommit ?? 'on',
    lockTimeoutMs: 1_000,
    requireSchema: true,
  })
  const [row] = await session.ask<{ readonly set: string }>(`SELECT current_setting('synchronous_commit') AS set`)
  await session.close()
  return row?.set ?? ''
}

describe('synchronous_commit', () => {
  afterEach(() => asSuperuser(database, `ALTER DATABASE ${nameOf(database)} RESET synchronous_commit`))

  it.each(['off', 'local', 'remote_write'] as const)(
    '%s on the server is `on` for a writer, unless asked for by name',
    async (value) => {
      await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} SET synchronous_commit TO ${value}`)
      const url = ledgerUrl(database)
      expect(await commitOf(url)).toBe('on')
      expect(await commitOf(url, { synchronousCommit: value })).toBe(value)
      const ledger = await PostgresLedger.open(url, { synchronousCommit: value })
      expect((await ledger.append(decisionDraft(1))).position).toBe(2)
      await ledger.close()
    },
  )

  it('that is stronger on the server stays', async () => {
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} SET synchronous_commit TO remote_apply`)
    expect(await commitOf(ledgerUrl(database))).toBe('remote_apply')
  })

  it('that is weakened by a reload changes nothing for a session that is open', async () => {
    const session = await Session.open({
      target: parseTarget(ledgerUrl(database)),
      access: 'write',
      synchronousCommit: 'on',
      lockTimeoutMs: 1_000,
      requireSchema: true,
    })
    await asSuperuser(database, 'ALTER SYSTEM SET synchronous_commit TO off')
    try {
      await asSuperuser(database, 'SELECT pg_reload_conf()')
      const fresh = `SELECT current_setting('synchronous_commit') AS set`
      // The server may not have handled the reload signal yet, so the test waits until a new connection has the new
      // setting.
      await expect.poll(async () => (await asSuperuser(database, fresh))[0]?.set).toBe('off')
      expect(await session.ask(fresh)).toEqual([{ set: 'on' }])
    } finally {
      await asSuperuser(database, 'ALTER SYSTEM RESET synchronous_commit')
      await asSuperuser(database, 'SELECT pg_reload_conf()')
      await session.close()
    }
  })
})

describe('tables', () => {
  it.each([
    ['older', 0],
    ['newer', 2],
  ])('of a version that is %s than the code are left alone', async (_, version) => {
    const other = await newDatabase()
    const url = ledgerUrl(other)
    const before = await PostgresLedger.open(url)
    await before.append(decisionDraft(1))
    await asSuperuser(other, `UPDATE sudoagent.meta SET version = ${version}`)
    expect(await refusalOf(() => PostgresLedger.open(url))).toBe('LEDGER_NOT_A_LEDGER')
    expect(await refusalOf(() => openPostgresLedger(url))).toBe('LEDGER_NOT_A_LEDGER')
    await before.close()
  })

  it('that are not there are no ledger', async () => {
    const bare = await newDatabase({ tables: false })
    expect(await refusalOf(() => PostgresLedger.open(ledgerUrl(bare)))).toBe('LEDGER_NOT_A_LEDGER')
    expect(await refusalOf(() => openPostgresLedger(`${ledgerUrl(database)}&schema=other`))).toBe('LEDGER_NOT_A_LEDGER')
  })
})

describe('a server', () => {
  it('that is not there, a database that does not exist, and a ledger that nobody made', async () => {
    expect(await refusalOf(() => PostgresLedger.open('postgres://127.0.0.1:1/x?ledger=a'))).toBe('LEDGER_WRITE_FAILED')
    expect(await refusalOf(() => openPostgresLedger('postgres://127.0.0.1:1/x?ledger=a'))).toBe('LEDGER_NOT_READABLE')
    expect(await refusalOf(() => PostgresLedger.open(ledgerUrl(`${database}_not`)))).toBe('LEDGER_NOT_FOUND')
    expect(await refusalOf(() => openPostgresLedger(ledgerUrl(database)))).toBe('LEDGER_NOT_FOUND')
    expect(await refusalOf(() => PostgresLedger.open(database))).toBe('LEDGER_NOT_FOUND')
  })

  it('that is read-only is no place for a writer', async () => {
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} SET default_transaction_read_only TO on`)
    expect(await refusalOf(() => PostgresLedger.open(ledgerUrl(database)))).toBe('LEDGER_WRITE_FAILED')
    await asSuperuser(
      database,
      `BEGIN READ WRITE; ALTER DATABASE ${nameOf(database)} RESET default_transaction_read_only; COMMIT`,
    )
  })

  it('of several: the first that serves', async () => {
    const url = ledgerUrl(database)
    const [place = ''] = /(?<=@)[^/]*/.exec(url) ?? []
    const ledger = await PostgresLedger.open(url.replace(place, `127.0.0.1:1,${place}`))
    expect((await ledger.append(decisionDraft(1))).position).toBe(2)
    await ledger.close()
  })
})
