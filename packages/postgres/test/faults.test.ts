// Tests faults that must not lose an entry or let a call run without an entry: stopped writers, refusing servers, full
// disks. After each fault, a separate reader verifies the ledger, and the test compares the ledger with the results
// that the writers reported. SLOW=1 runs the slow forms.
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LedgerReader } from '@sudoagent/ledger'
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { isLong, TIER } from '../../../test/tier.js'
import { decisionDraft, testSigner } from '../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../ledger/test/fixtures/refusal.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { schemaSql } from '../src/schema/schema.js'
import { asSuperuser } from './server/cluster.js'
import { judge, Writer } from './server/load.js'
import { holdHeads, isInstalled, ledgerUrl, newDatabase, newLogin, serverUrl, urlAs } from './server/shared.js'

const SLOW = TIER === 'slow'
if (!SLOW) console.info('not tested here: a writer stopped for a minute (SLOW=1 does)')

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

describe('a writer that is stopped', () => {
  it('and wakes up in a ledger that has gone on: it takes its place behind the others', async () => {
    const url = ledgerUrl(database)
    const [stopped, other] = [new Writer(url, 'stopped'), new Writer(url, 'other')]
    await Promise.all([stopped.answered(20), other.answered(20)])
    for (let stops = 0; stops < 5; stops += 1) {
      stopped.signal('SIGSTOP')
      // If the stopped writer holds the lock, the other writers wait until the server ends its session. The test ends
      // the session at once, as the server does after a long idle time.
      await delay(50)
      await asSuperuser(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
      )
      await other.answered(30)
      stopped.signal('SIGCONT')
      await stopped.answered(10)
    }
    await Promise.all([stopped.end(), other.end()])
    expect(await judge(url, [stopped, other])).toBeGreaterThan(200)
  })

  it.skipIf(!SLOW)('for a minute, believing that it holds the lock: the others go on without it', async () => {
    const url = ledgerUrl(database)
    const [stopped, other] = [
      new Writer(url, 'stopped', { inFlight: 32 }),
      new Writer(url, 'other', { busyTimeoutMs: 30_000 }),
    ]
    await Promise.all([stopped.answered(20), other.answered(20)])
    for (let tries = 0; ; tries += 1) {
      stopped.signal('SIGSTOP')
      const held = await asSuperuser(
        database,
        "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
      )
      if (held.length > 0 || tries > 200) break
      stopped.signal('SIGCONT')
      await delay(7)
    }
    await delay(60_000)
    await other.answered(100)
    stopped.signal('SIGCONT')
    await stopped.answered(20)
    await Promise.all([stopped.end(), other.end()])
    await judge(url, [stopped, other])
  })

  it('and killed: what it was told stays, and the others do not notice', async () => {
    const url = ledgerUrl(database)
    const [first, second] = [new Writer(url, 'first'), new Writer(url, 'second')]
    await Promise.all([first.answered(30), second.answered(30)])
    await first.kill()
    await second.answered(30)
    await second.end()
    await judge(url, [first, second])
  })
})

describe('a reader whose session ends', () => {
  const asks: Record<string, (reader: LedgerReader) => Promise<unknown>> = {
    batches: async (reader) => {
      for await (const _ of reader.batches());
    },
    'a line': (reader) => reader.lineAt(1),
    'a call': async (reader) => reader.linesOfCall('00000000-0000-4000-8000-000000000001'),
    evidence: (reader) => reader.evidence(),
    'the tree': async (reader) => reader.treeReader(1)?.(0, 0),
  }

  it.each(Object.keys(asks))('says so: %s', async (name) => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url)
    await ledger.append(decisionDraft(1))
    await ledger.close()
    const reader = await openPostgresLedger(url)
    await asSuperuser(
      database,
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'sudoagent' AND datname = current_database()",
    )
    expect(await refusalOf(async () => asks[name]?.(reader))).toBe('LEDGER_NOT_READABLE')
    await reader.close()
  })
})

describe('the server refuses', () => {
  it('what takes longer than its statement timeout, and takes the next', async () => {
    const own = await newDatabase()
    const url = ledgerUrl(own)
    await asSuperuser(own, `ALTER DATABASE ${new URL(own).pathname.slice(1)} SET statement_timeout TO '300ms'`)
    const ledger = await PostgresLedger.open(url, { busyTimeoutMs: 1_500 })
    await ledger.append(decisionDraft(1))
    const letGo = await holdHeads(own)
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_BUSY')
    await letGo()
    expect((await ledger.append(decisionDraft(3))).position).toBe(3)
    await ledger.close()
  })

  it('one connection more than it has', async () => {
    const few = await newLogin('CONNECTION LIMIT 1')
    await asSuperuser(
      database,
      `GRANT USAGE ON SCHEMA sudoagent TO ${few}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA sudoagent TO ${few}`,
    )
    const url = urlAs(few, ledgerUrl(database))
    const first = await PostgresLedger.open(url)
    expect(await refusalOf(() => PostgresLedger.open(url))).toBe('LEDGER_BUSY')
    await first.append(decisionDraft(1))
    await first.close()
  })

  it.each(['40001', '40P01'])('with %s: it is tried again, and not for ever', async (code) => {
    const own = await newDatabase()
    await asSuperuser(
      own,
      `CREATE SEQUENCE tries; CREATE FUNCTION sudoagent.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('public.tries') % 4 <> 0 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '${code}'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER fail BEFORE UPDATE ON sudoagent.head FOR EACH ROW EXECUTE FUNCTION sudoagent.fail()`,
    )
    const url = ledgerUrl(own)
    const ledger = await PostgresLedger.open(url, { signer: testSigner(1) })
    for (const n of [1, 2, 3]) expect((await ledger.append(decisionDraft(n))).position).toBe(n + 1)
    await ledger.close()
    const impatient = await PostgresLedger.open(url, { busyTimeoutMs: 1_000, signer: testSigner(1) })
    await asSuperuser(own, 'ALTER SEQUENCE tries INCREMENT BY 4 RESTART WITH 1')
    expect(await refusalOf(() => impatient.append(decisionDraft(4)))).toBe('LEDGER_BUSY')
    await impatient.close()
    expect(await judge(url, [])).toBe(4)
  })

  it.runIf(isLong)(
    'when its disk is full: nothing is half written, and appends work again when there is room',
    async (context) => {
      if (isInstalled) {
        console.info('not tested here: a full disk (the server is not ours)')
        return context.skip()
      }
      const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-full-'))
      if (
        process.getuid?.() !== 0 ||
        spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]).status !== 0
      ) {
        console.info('not tested here: a full disk (mounting is not permitted)')
        return context.skip()
      }
      const server = await serverUrl()
      onTestFinished(async () => {
        await asSuperuser(server, 'DROP DATABASE IF EXISTS full_disk WITH (FORCE)')
        await asSuperuser(server, 'DROP TABLESPACE IF EXISTS full_disk')
        spawnSync('umount', ['-l', folder])
        rmSync(folder, { recursive: true, force: true })
      })
      chownSync(folder, 65_534, 65_534)
      await asSuperuser(server, `CREATE TABLESPACE full_disk LOCATION '${folder}'`)
      await asSuperuser(server, "CREATE DATABASE full_disk TEMPLATE template0 ENCODING 'UTF8' TABLESPACE full_disk")
      const own = server.replace(/\/[^/?]*(\?|$)/, '/full_disk$1')
      await asSuperuser(own, schemaSql({ schema: 'sudoagent', roles: false }))
      const url = ledgerUrl(own)
      const ledger = await PostgresLedger.open(url, { signer: testSigner(1) })
      await ledger.append(decisionDraft(1))
      try {
        writeFileSync(join(folder, 'ballast'), Buffer.alloc(32 * 1024 * 1024))
      } catch {
        // The write failed because the disk is full, as intended.
      }
      const large = (n: number) =>
        decisionDraft(n, { kwargs: { blob: Array.from({ length: 40_000 }, (_, i) => `${n}:${i}`).join() } })
      expect(await refusalOf(() => ledger.append(large(2)))).toBe('LEDGER_WRITE_FAILED')
      expect(await judge(url, [])).toBe(2)
      rmSync(join(folder, 'ballast'))
      expect((await ledger.append(large(3))).position).toBe(3)
      await ledger.close()
      expect(await judge(url, [])).toBe(3)
    },
  )
})

describe('hosts whose clocks are an hour apart', () => {
  afterEach(() => void vi.useRealTimers())

  it('record by the clock of the database', async () => {
    const url = ledgerUrl(database)
    const now = Date.now()
    for (const shiftMs of [3_600_000, -3_600_000]) {
      vi.useFakeTimers({ toFake: ['Date'], now: now + shiftMs })
      const ledger = await PostgresLedger.open(url, { signer: testSigner(1) })
      const { recordedAt } = await ledger.append(decisionDraft(Math.abs(shiftMs) + Math.sign(shiftMs)))
      await ledger.close()
      vi.useRealTimers()
      expect(Math.abs(Date.parse(recordedAt) - Date.now())).toBeLessThan(60_000)
    }
    expect(await judge(url, [])).toBe(3)
  })
})
