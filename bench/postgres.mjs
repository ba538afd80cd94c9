// What a ledger in PostgreSQL costs, each figure beside its floor taken in the same run (docs/scaling.md).
//
//   node bench/postgres.mjs [--entries 1000000] [--calls 400] [--appends 4000]
//
// A server of its own is started, unless SUDOAGENT_TEST_POSTGRES_URL names one: a superuser's URL, over a unix socket.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AllowAllPolicy, SudoEngine } from '../packages/core/dist/index.js'
import { createSigner, generatePrivateKey } from '../packages/crypto/dist/index.js'
import { verify } from '../packages/ledger/dist/index.js'
import { openPostgresLedger, PostgresLedger, schemaSql } from '../packages/postgres/dist/index.js'
import { allowedCall } from './call.mjs'
import { bareClient, copyOut, insertBare, MAKE_BARE } from './postgres-bare.mjs'
import { startServer } from './postgres-server.mjs'

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '400' },
    appends: { type: 'string', default: '4000' },
  },
})
const [entries, calls, appends] = [values.entries, values.calls, values.appends].map(Number)
const PROCESSES = 4
const IN_FLIGHT = 32
const signer = createSigner(generatePrivateKey((length) => new Uint8Array(length).fill(1)))

const own = process.env.SUDOAGENT_TEST_POSTGRES_URL === undefined ? await startServer() : null
const database = process.env.SUDOAGENT_TEST_POSTGRES_URL ?? own.url
const client = await bareClient(database)
await client.query(schemaSql({ schema: 'sudoagent', roles: false }))
await client.query(MAKE_BARE)
const urlOf = (name) => `${database}?ledger=${name}-${process.pid}`

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
const say = (what, figure, floor, ratio, limit) =>
  console.log([what.padEnd(46), figure.padStart(16), floor.padStart(22), ratio.padStart(8), limit].join('  '))
say('', 'ours', 'floor', 'ratio', 'limit')

await oneCallAtATime()
await manyProcesses()
await verification()
await client.end()
await own?.stop()

/** A guarded call, and two commits of a row, in turns. */
async function oneCallAtATime() {
  const ledger = await PostgresLedger.open(urlOf('one'), { signer })
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'support-bot', ledger })
  const refund = engine.guard(async function refund({ n }) {
    return n
  })
  const lines = Array.from({ length: 2 }, (_, n) =>
    JSON.stringify({ ...allowedCall(n).decision, pad: 'x'.repeat(330) }),
  )
  const [ours, floor] = [[], []]
  for (let n = 0; n < calls + 50; n += 1) {
    const start = performance.now()
    await refund({ n, order: `ord-${n}`, currency: 'EUR', reason: 'damaged on arrival' })
    const middle = performance.now()
    for (const line of lines) await insertBare(client, [line])
    const end = performance.now()
    // The first ones warm up.
    if (n < 50) continue
    ours.push(middle - start)
    floor.push(end - middle)
  }
  await ledger.close()
  const ratio = median(ours) / median(floor)
  say(
    'one guarded call / two bare commits',
    `${median(ours).toFixed(2)} ms`,
    `${median(floor).toFixed(2)} ms`,
    ratio.toFixed(2),
    '<= 1.6',
  )
}

/** Entries a second of several processes at once. */
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
  const before = await commits()
  const one = await together(Array.from({ length: PROCESSES }, () => [urlOf('shared'), 'ledger', appends, IN_FLIGHT]))
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const size = Math.max(1, Math.round((PROCESSES * appends) / Math.max(1, (await commits()) - before)))
  const bare = await together(Array.from({ length: PROCESSES }, () => [database, 'bare', appends, size]))
  const four = await together(
    Array.from({ length: PROCESSES }, (_, n) => [urlOf(`shard${n}`), 'ledger', appends, IN_FLIGHT]),
  )
  const rate = (perSecond) => `${Math.round(perSecond)}/s`
  say(
    `4 processes, 32 in flight, one ledger (~${size} a commit)`,
    rate(one),
    rate(bare),
    (one / bare).toFixed(2),
    '>= 0.25',
  )
  say(
    'the same on four ledgers / on one',
    rate(four),
    rate(one),
    (four / one).toFixed(2),
    '>= 1.5 where two cores allow it',
  )
}

async function verification() {
  const url = urlOf('large')
  // Unsigned: what a signature costs is what it costs in every store.
  const ledger = await PostgresLedger.open(url)
  for (let from = 0; from < entries / 2; from += 1_024) {
    const group = Array.from({ length: Math.min(1_024, entries / 2 - from) }, (_, i) => allowedCall(from + i))
    await Promise.all(group.flatMap(({ decision, outcome }) => [ledger.append(decision), ledger.append(outcome)]))
  }
  await ledger.close()
  await client.query('VACUUM ANALYZE sudoagent.entry')
  const where = `FROM sudoagent.entry WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = 'large-${process.pid}')`
  const query = `SELECT position, entry_json, entry_hash, prev_entry_hash ${where} ORDER BY position`
  const copies = []
  for (let n = 0; n < 3; n += 1) copies.push(await copyOut(database, query))
  const reader = await openPostgresLedger(url)
  let resident = 0
  const ticker = setInterval(() => (resident = Math.max(resident, process.memoryUsage().rss)), 50)
  const start = performance.now()
  const { ok, entries: seen } = await verify(reader)
  const ms = performance.now() - start
  clearInterval(ticker)
  await reader.close()
  if (!ok) throw new Error('the ledger does not verify')
  const floor = median(copies.map((copy) => copy.ms))
  say(
    `verify ${seen} entries / COPY TO STDOUT`,
    `${(ms / 1_000).toFixed(2)} s`,
    `${(floor / 1_000).toFixed(2)} s`,
    (ms / floor).toFixed(2),
    '<= 2.5',
  )
  console.log(
    `memory while verifying: ${Math.round(resident / 1024 / 1024)} MiB at most, ${Math.round((ms / seen) * 1e6) / 1e3} us an entry`,
  )
}
