import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import {
  holdsPassword,
  isLedgerName,
  isPostgresUrl,
  maskUrl,
  parseTarget,
  withLedger,
} from '../../src/session/target.js'

describe('parseTarget', () => {
  it('reads what libpq would, and our parameters', () => {
    expect(
      parseTarget('postgres://bot@db.example.com:6000/evidence?ledger=payments.prod&schema=audit', {}),
    ).toMatchObject({
      hosts: [{ name: 'db.example.com', port: 6000 }],
      database: 'evidence',
      user: 'bot',
      password: undefined,
      schema: 'audit',
      ledger: 'payments.prod',
    })
    expect(parseTarget('postgresql://one,two:5433,[::1]:5434/db', {}).hosts).toEqual([
      { name: 'one', port: 5432 },
      { name: 'two', port: 5433 },
      { name: '::1', port: 5434 },
    ])
    expect(parseTarget('postgres:///db?host=/run/postgresql', {}).hosts).toEqual([
      { name: '/run/postgresql', port: 5432 },
    ])
    expect(parseTarget('postgres://u@%2Frun%2Fpg:5433/db', {}).hosts).toEqual([{ name: '/run/pg', port: 5433 }])
  })

  it('takes from the environment what the URL does not say', () => {
    const env = { PGHOST: 'elsewhere', PGPORT: '6000', PGUSER: 'bot', PGDATABASE: 'evidence', PGPASSWORD: 'secret' }
    expect(parseTarget('postgres://?ledger=a', env)).toMatchObject({
      hosts: [{ name: 'elsewhere', port: 6000 }],
      user: 'bot',
      database: 'evidence',
      password: 'secret',
    })
  })

  it.each([
    'http://db/x',
    'postgres://db:0/x',
    'postgres://db:99999/x',
    'postgres://db/x?ledger=',
    'postgres://db/x?ledger=Payments',
    'postgres://db/x?ledger=a%27%3Bdrop',
    `postgres://db/x?ledger=${'a'.repeat(64)}`,
    'postgres://db/x?schema=pg_catalog',
    'postgres://db/x?schema=a%3Bb',
    'postgres://db/x?sslmode=prefer',
    'postgres://db/x?legder=payments',
    'postgres://db/x?sslmode=require&sslrootcert=ca.pem',
    'postgres://db/x?sslmode=disable&sslrootcert=ca.pem',
    `postgres://${'h,'.repeat(9)}h/x`,
  ])('refuses %s', async (url) => {
    expect(await refusalOf(() => parseTarget(url, {}))).toBe('LEDGER_NOT_FOUND')
  })

  it('asks other hosts for TLS and who they are, unless told otherwise by name', () => {
    const tls = (url: string) => {
      const target = parseTarget(url, {})
      return target.hosts.map((host) => target.tls(host))
    }
    expect(tls('postgres://localhost,127.0.0.1,[::1],%2Frun/db')).toEqual([false, false, false, false])
    expect(tls('postgres://db.example.com/db')).toEqual([
      expect.objectContaining({ rejectUnauthorized: true, servername: 'db.example.com' }),
    ])
    expect(tls('postgres://10.0.0.1/db')).toEqual([expect.objectContaining({ rejectUnauthorized: true })])
    expect(tls('postgres://db.example.com/db?sslmode=require')).toEqual([{ rejectUnauthorized: false }])
    expect(tls('postgres://db.example.com/db?sslmode=disable')).toEqual([false])
    expect(tls('postgres://localhost/db?sslmode=verify-full')).toEqual([
      expect.objectContaining({ rejectUnauthorized: true }),
    ])
  })
})

describe('passwords', () => {
  const SECRET = 'hunter2'
  it.each([
    `postgres://bot:${SECRET}@db/x?ledger=a`,
    `postgres://bot:${SECRET}/with@slash@db/x`,
    `postgres://:${SECRET}@db/x`,
    `postgres://db/x?password=${SECRET}&ledger=a`,
    `POSTGRESQL://bot:${SECRET}@db/x`,
  ])('of %s are used and never shown', (url) => {
    expect(holdsPassword(url)).toBe(true)
    expect(maskUrl(url)).not.toContain(SECRET)
    const target = parseTarget(url, {})
    expect(target.password).toContain(SECRET)
    expect(target.shown).not.toContain(SECRET)
  })

  it('are not in what can be read in a message about a wrong URL', () => {
    try {
      parseTarget(`postgres://bot:${SECRET}@db/x?ledger=UPPER`)
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toContain(SECRET)
    }
  })

  it('are not seen where there are none', () => {
    for (const url of ['postgres://bot@db:5432/x', 'postgres://db:1/x', 'postgres:///x?host=a'])
      expect(holdsPassword(url)).toBe(false)
    expect(maskUrl('postgres://bot@db:5432/x')).toBe('postgres://bot@db:5432/x')
  })
})

it('tells URLs from files, and names from what is none', () => {
  expect(
    ['postgres://x', 'postgresql://x', 'ledger.sqlite', 'postgres.jsonl', './postgres:/x'].map(isPostgresUrl),
  ).toEqual([true, true, false, false, false])
  expect(['a', 'payments.prod', '0-x_y', '', '.a', 'a b', 'Ä'].map(isLedgerName)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

it.each(['x&host=attacker.example&sslmode=disable', 'x?host=attacker.example', 'a/b', 'A', '', '\u202ea'])(
  'another ledger of the place is not %j, wherever the name came from',
  (name) => {
    const target = parseTarget('postgres://auditor@db.example/ev?ledger=payments')
    expect(withLedger(target, 'tickets')).toMatchObject({
      ledger: 'tickets',
      shown: expect.stringContaining('=tickets'),
    })
    expect(() => withLedger(target, name)).toThrow(/^[\x20-\x7e]*is not a valid ledger name$/)
  },
)
