// Tests a server that is killed during a commit and restarted, a failover to a standby, and an old primary that
// restarts after the failover. After each crash, a separate reader verifies the ledger, and the test compares the
// ledger with the results that the writers reported. SLOW=1 runs twenty crashes in a row.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, type TestContext } from 'vitest'
import { isLong, TIER } from '../../../test/tier.js'
import { decisionDraft, testSigner } from '../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../ledger/test/fixtures/refusal.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { schemaSql } from '../src/schema/schema.js'
import {
  asSuperuser,
  type Cluster,
  crashCluster,
  createCluster,
  createStandby,
  startCluster,
  stopCluster,
  urlOf,
} from './server/cluster.js'
import { judge, Writer } from './server/load.js'
import { ledgerUrl } from './server/shared.js'

const SLOW = TIER === 'slow'
if (!SLOW) console.info('not tested here: twenty crashes in a row (SLOW=1 does)')

/** Starts a separate server for the current test. */
async function ownCluster(atEnd: TestContext['onTestFinished'], settings: readonly string[] = []): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-own-'))
  // The server runs as an unprivileged user, who needs access.
  spawnSync('chmod', ['755', folder])
  const cluster = await createCluster(folder, settings)
  atEnd(async () => {
    await stopAll(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  })
  return cluster
}

async function stopAll(folder: string): Promise<void> {
  try {
    const pid = Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
    await stopCluster({ pid, data: join(folder, 'data') }, 'SIGQUIT')
  } catch {
    // The server has already stopped.
  }
}

describe.concurrent('a server that is killed with -9 in mid-commit', () => {
  it('and started again: the writers go on, and everything they were told is true', async (context) => {
    let cluster = await ownCluster(context.onTestFinished)
    await asSuperuser(urlOf(cluster), schemaSql({ schema: 'sudoagent', roles: false }))
    const url = ledgerUrl(urlOf(cluster), 'payments')
    const writers = ['a', 'b'].map((name) => new Writer(url, name))
    await Promise.all(writers.map((writer) => writer.ready()))
    for (let crashes = 0; crashes < (SLOW ? 20 : 2); crashes += 1) {
      await Promise.all(writers.map((writer) => writer.answered(60)))
      await crashCluster(cluster)
      cluster = await startCluster(cluster.folder, cluster.port)
      await Promise.all(writers.map((writer) => writer.answered(20)))
    }
    await Promise.all(writers.map((writer) => writer.end()))
    expect(await judge(url, writers)).toBeGreaterThan(300)
  })
})

describe.concurrent('fail-over to a synchronous standby', () => {
  it.runIf(isLong)(
    'under load: nothing that was acknowledged is lost, and an old primary that comes back is not written to',
    {
      timeout: 240_000,
    },
    async (context) => {
      const primary = await ownCluster(context.onTestFinished, [
        "synchronous_standby_names = '*'",
        'max_wal_senders = 4',
        'wal_level = replica',
        "synchronous_commit = 'local'",
      ])
      await asSuperuser(urlOf(primary), schemaSql({ schema: 'sudoagent', roles: false }))
      const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-standby-'))
      spawnSync('chmod', ['755', folder])
      context.onTestFinished(async () => {
        await stopAll(folder)
        rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
      })
      const standby = await createStandby(folder, primary, 's1')
      await asSuperuser(urlOf(primary), "ALTER SYSTEM SET synchronous_commit TO 'on'")
      await asSuperuser(urlOf(primary), 'SELECT pg_reload_conf()')
      for (let tries = 0; ; tries += 1) {
        const [row] = await asSuperuser<{ sync_state: string }>(
          urlOf(primary),
          'SELECT sync_state FROM pg_stat_replication',
        )
        if (row?.sync_state === 'sync') break
        if (tries > 300) throw new Error('the standby does not follow the primary')
        await delay(100)
      }
      const places = [primary, standby].map(({ folder: place, port }) => `${encodeURIComponent(place)}:${port}`)
      const url = ledgerUrl(`postgres://postgres@${places.join(',')}/postgres`, 'payments')
      const onStandby = ledgerUrl(urlOf(standby), 'payments')
      const writers = ['a', 'b'].map((name) => new Writer(url, name, { busyTimeoutMs: 20_000 }))
      await Promise.all(writers.map((writer) => writer.ready()))
      await Promise.all(writers.map((writer) => writer.answered(100)))
      await crashCluster(primary)
      await asSuperuser(urlOf(standby), 'SELECT pg_promote()')
      await Promise.all(writers.map((writer) => writer.answered(100, 90_000)))
      // The old primary restarts. The old primary is the first host in each client's list, and still acts as the
      // primary.
      await startCluster(primary.folder, primary.port)
      await asSuperuser(
        urlOf(standby),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sudoagent'",
      )
      await Promise.all(writers.map((writer) => writer.answered(50, 90_000)))
      await Promise.all(writers.map((writer) => writer.end()))
      const entries = await judge(onStandby, writers)
      expect(entries).toBeGreaterThan(500)
      expect(new Set(writers.flatMap(({ refused }) => refused)).has('LEDGER_DAMAGED')).toBe(false)
      // A new client that knows only the old primary gets no acknowledgement, because the old primary has lost its
      // standby.
      const fresh = await PostgresLedger.open(ledgerUrl(urlOf(primary), 'payments'), {
        signer: testSigner(1),
        busyTimeoutMs: 500,
        commitTimeoutMs: 500,
      })
      expect(await refusalOf(() => fresh.append(decisionDraft(1)))).toMatch(/^LEDGER_(?:WRITE_FAILED|BUSY)$/)
      await fresh.close()
      expect(await judge(onStandby, writers)).toBe(entries)
    },
  )
})
