// What a server must be before anything is written to it, and what is said when it is not.
import { beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft } from '../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../ledger/test/fixtures/refusal.js'
import { PostgresLedger } from '../src/ledger.js'
import { openPostgresLedger } from '../src/ledger-reader.js'
import { asSuperuser } from './server/cluster.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

describe('synchronous_commit', () => {
  it.each(['off', 'local', 'remote_write'] as const)('%s is refused unless it is asked for by name', async (value) => {
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} SET synchronous_commit TO ${value}`)
    const url = ledgerUrl(database)
    expect(await refusalOf(() => PostgresLedger.open(url))).toBe('LEDGER_WRITE_FAILED')
    const ledger = await PostgresLedger.open(url, { synchronousCommit: value })
    expect((await ledger.append(decisionDraft(1))).position).toBe(2)
    await ledger.close()
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} RESET synchronous_commit`)
  })

  it('that was weakened later is seen by the next connection', async () => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url, { busyTimeoutMs: 2_000 })
    await ledger.append(decisionDraft(1))
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} SET synchronous_commit TO off`)
    await asSuperuser(
      database,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sudoagent' AND datname = current_database()",
    )
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_WRITE_FAILED')
    await asSuperuser(database, `ALTER DATABASE ${nameOf(database)} RESET synchronous_commit`)
    expect((await ledger.append(decisionDraft(3))).position).toBe(3)
    await ledger.close()
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
