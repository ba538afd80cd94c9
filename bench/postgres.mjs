// Measures a ledger in PostgreSQL; the floor of each figure is measured in the same run (docs/scaling.md).
//
//   node bench/postgres.mjs [--quick] [--entries 1000000] [--calls 2000] [--appends 20000] [--json FILE]
//
// Before each measurement of a floor or a figure, the process warms up for some seconds, with half as many calls and
// appends.
//
// Starts its own server. To use a different server, set SUDOAGENT_TEST_POSTGRES_URL to the URL of a superuser over a
// unix socket.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { AllowAllPolicy, SudoEngine } from '../packages/core/dist/index.js'
import { verify } from '../packages/ledger/dist/index.js'
import { openPostgresLedger, PostgresLedger } from '../packages/postgres/dist/index.js'
import { schemaSql } from '../packages/postgres/dist/schema.js'
import { allowedCall } from './call.mjs'
import { signTimes } from './floor.mjs'
import { appendCalls, signer } from './ledgers.mjs'
import { obeyed } from './obeyed.mjs'
import { readOptions } from './options.mjs'
import { bareClient, copyOut, insertBare, MAKE_BARE } from './postgres-bare.mjs'
import { startServer } from './postgres-server.mjs'
import { alternate, median } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, entries, json, ...counts } = readOptions({ calls: 2_000, appends: 20_000 })
const [calls, appends] = [size(counts.calls, 10), size(counts.appends, 200)]
const fewer = entries / 10
const PROCESSES = 4
const IN_FLIGHT = 32

const own = process.env.SUDOAGENT_TEST_POSTGRES_URL === undefined ? await startServer() : null
const database = process.env.SUDOAGENT_TEST_POSTGRES_URL ?? own.url
const client = await bareClient(database)
await client.query(schemaSql({ schema: 'sudoagent', roles: false }))
await client.query(MAKE_BARE)
const urlOf = (name) => `${database}?ledger=${name}-${process.pid}`

try {
  const rows = [await oneCallAtATime('unsigned', {}, 0), await oneCallAtATime('signed', { signer }, 4)]
  report('postgres', [...rows, ...(await manyProcesses()), ...(await stopped()), ...(await verification())], json)
} finally {
  await client.end()
  await own?.stop()
}

/** Concurrent decisions that another process stops. */
async function stopped() {
  const place = urlOf('stopped')
  const ledger = await PostgresLedger.open(place)
  return await obeyed({ place, ledger, openReader: () => openPostgresLedger(place) }, size(100_000, 500))
}

/** Alternates between a guarded call and two commits of one row with the same number of signatures. */
async function oneCallAtATime(name, options, signatures) {
  const ledger = await PostgresLedger.open(urlOf(`one-${name}`), options)
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'support-bot', ledger })
  const refund = engine.guard(async function refund({ n }) {
    return n
  })
  const lines = Array.from({ length: 2 }, (_, n) =>
    JSON.stringify({ ...allowedCall(n).decision, pad: 'x'.repeat(330) }),
  )
  const [ours, floor] = [[], []]
  for (let n = -calls / 2; n < calls; n += 1) {
    const start = performance.now()
    await refund({ n, order: `ord-${n}`, currency: 'EUR', reason: 'damaged on arrival' })
    const middle = performance.now()
    for (const line of lines) {
      signTimes(signatures / 2)
      await insertBare(client, [line])
    }
    const end = performance.now()
    // The first calls are a warm-up.
    if (n < 0) continue
    ours.push(middle - start)
    floor.push(end - middle)
  }
  await ledger.close()
  return row({
    work: `a call, floor two bare commits, ${name}`,
    unit: 'ms',
    floor: median(floor),
    figure: median(ours),
    atMost: 1.6,
  })
}

/** Entries per second of several concurrent processes. */
async function together(jobs) {
  const children = jobs.map((args) =>
    spawn(process.execPath, [join(import.meta.dirname, 'postgres-worker.mjs'), ...args.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  await Promise.all(children.map((child) => once(child.stdout, 'data')))
  const start = performance.now()
  const ended = children.map((child) => once(child.stdout, 'data'))
  for (const child of children) child.stdin.write('go\n')
  await Promise.all(ended)
  const seconds = (performance.now() - start) / 1_000
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : null)))
  return (jobs.length * appends) / seconds
}

async function commits() {
  const { rows } = await client.query(
    'SELECT pg_stat_force_next_flush(), sum(xact_commit)::int AS commits FROM pg_stat_database WHERE datname = current_database()',
  )
  return rows[0].commits
}

async function manyProcesses() {
  const processes = (argsOf) => together(Array.from({ length: PROCESSES }, (_, n) => argsOf(n)))
  // The floor writes as many rows per commit as the ledger did in its first measurement.
  let rows = null
  const { one, bare, four } = await alternate(size(3, 1), {
    one: async () => {
      const before = await commits()
      const figure = await processes(() => [urlOf('shared'), 'ledger', appends, IN_FLIGHT])
      if (rows !== null) return figure
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      const written = PROCESSES * (appends + appends / 2)
      rows = Math.max(1, Math.round(written / Math.max(1, (await commits()) - before)))
      return figure
    },
    bare: () => processes(() => [database, 'bare', appends, rows]),
    four: () => processes((n) => [urlOf(`shard${n}`), 'ledger', appends, IN_FLIGHT]),
  })
  const work = `${PROCESSES} × ${IN_FLIGHT} appends`
  return [
    row({ work: `${work}, floor bare, ~${rows} a commit`, unit: 'rows/s', floor: bare, figure: one, atLeast: 0.25 }),
    // The processes share the cores with the server, so the target assumes two cores.
    row({ work: `${work}, ${PROCESSES} ledgers, floor one`, unit: 'rows/s', floor: one, figure: four, atLeast: 1.5 }),
  ]
}

/**
 * Fills a ledger with a genesis entry and this number of entries. The ledger is unsigned, because signatures cost the
 * same in every store. @returns its URL
 */
async function filled(name, count) {
  const url = urlOf(name)
  const ledger = await PostgresLedger.open(url)
  await appendCalls(ledger, 0, Math.floor(count / 2))
  await ledger.close()
  return url
}

async function verification() {
  const [large, small] = [await filled('large', entries), await filled('small', fewer)]
  await client.query('VACUUM ANALYZE sudoagent.entry')
  const where = `FROM sudoagent.entry WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = 'large-${process.pid}')`
  const query = `SELECT position, entry_json, entry_hash, prev_entry_hash ${where} ORDER BY position`
  const { floor, figure } = await alternate(3, {
    floor: async () => (await copyOut(database, query)).ms,
    figure: async () => {
      const reader = await openPostgresLedger(large)
      const start = performance.now()
      const { ok } = await verify(reader)
      const time = performance.now() - start
      await reader.close()
      if (!ok) throw new Error('the ledger does not verify')
      return time
    },
  })
  const memory = { unit: 'MiB', figure: peakOfVerify(large) }
  const name = `memory of verify, ${entries}`
  return [
    row({ work: `verify ${entries} entries, floor COPY`, unit: 'ms', floor, figure, atMost: 2.5 }),
    row({ work: `${name}, floor ${fewer}`, floor: peakOfVerify(small), ...memory, atMost: 1.5 }),
    row({ work: `${name} entries`, ...memory, atMost: 300 }),
  ]
}

/** Verifies in a separate process. @returns the largest resident set of that process, as reported by the system */
function peakOfVerify(url) {
  const script = join(import.meta.dirname, 'verify-memory.mjs')
  return Number(spawnSync(process.execPath, [script, url], { encoding: 'utf8' }).stdout)
}
