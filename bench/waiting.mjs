// Measures calls that wait: what open questions cost a call that is resumed or repeated, and the time from an approval
// in another process to the run of the call.
//
//   node bench/waiting.mjs [--quick] [--json FILE]
//
// Starts its own PostgreSQL server. To use a different server, set SUDOAGENT_TEST_POSTGRES_URL to the URL of a
// superuser over a unix socket.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PollingApprover, SudoEngine } from '../packages/core/dist/index.js'
import { SqliteApprovalStore } from '../packages/core/dist/sqlite.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { PostgresApprovalStore, PostgresLedger } from '../packages/postgres/dist/index.js'
import { schemaSql } from '../packages/postgres/dist/schema.js'
import { readOptions } from './options.mjs'
import { bareClient } from './postgres-bare.mjs'
import { startServer } from './postgres-server.mjs'
import { median } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, json, work } = readOptions()
/** One less than a ledger takes: the measured call is the last one. */
const OPEN = size(9_999, 19)
const PER_AGENT = 100
const CALLS = size(200, 3)
const RUNS = size(30, 2)
const CLI = fileURLToPath(new URL('../apps/cli/bin/sudoagent.cjs', import.meta.url))
const POLICY = {
  policyId: 'p',
  version: '1',
  evaluate: () => ({ decision: 'require_approval', reason: 'look', approval: { within: 3_600_000 } }),
}

const own = process.env.SUDOAGENT_TEST_POSTGRES_URL === undefined ? await startServer() : null
const database = process.env.SUDOAGENT_TEST_POSTGRES_URL ?? own.url
const client = await bareClient(database)
await client.query(schemaSql({ schema: 'sudoagent', roles: false }))

const STORES = {
  SQLite: async (name) => ({
    ledger: SqliteLedger.open(join(work, `${name}.sqlite`)),
    approvals: SqliteApprovalStore.open(join(work, `${name}.approvals`)),
    place: join(work, `${name}.approvals`),
  }),
  PostgreSQL: async (name) => ({
    ledger: await PostgresLedger.open(`${database}?ledger=${name.toLowerCase()}-${process.pid}`),
    approvals: await PostgresApprovalStore.open(database),
    place: database,
  }),
}

const WAYS = {
  resume: (engine, approvalId, call) => engine.resume(approvalId, call, {}),
  repeat: (engine, _, call) => engine.authorize(call, {}),
}

try {
  const rows = []
  for (const store of Object.keys(STORES)) rows.push(...(await withOthers(store)), await untilRun(store))
  report('waiting', rows, json)
} finally {
  await client.end()
  await own?.stop()
}

function engineOf({ ledger, approvals }, agentId) {
  return new SudoEngine({ agentId, policy: POLICY, ledger, approvalStore: approvals, approver: new PollingApprover() })
}

/** Asks about a call, approves it, and times how it goes on. */
async function timed({ approvals }, engine, n, goOn) {
  const call = { action: 'pay', args: [{ n, to: 'Ada' }] }
  const asked = await engine.authorize(call, { wait: false })
  if (asked.status !== 'pending') throw new Error(`the call did not ask: ${asked.code ?? asked.status}`)
  const { binding } = await approvals.get(asked.approvalId, new Date())
  await approvals.resolve(asked.approvalId, { state: 'approved', approverId: 'ada', binding }, new Date())
  const start = performance.now()
  const answer = await goOn(engine, asked.approvalId, call)
  const ms = performance.now() - start
  if (answer.status !== 'allowed') throw new Error(`the call was not allowed: ${answer.code ?? answer.status}`)
  await engine.record(answer, { status: 'success' })
  return ms
}

/** A resumed and a repeated call with open questions of other agents, floor: without any. */
async function withOthers(store) {
  const [alone, crowded] = [await STORES[store](`alone-${store}`), await STORES[store](`crowded-${store}`)]
  for (let agent = 0; agent < OPEN / PER_AGENT; agent += 1) {
    const engine = engineOf(crowded, `agent ${agent}`)
    const ask = (n) => engine.authorize({ action: 'pay', args: [{ n, agent }] }, { wait: false })
    await Promise.all(Array.from({ length: Math.min(PER_AGENT, OPEN - agent * PER_AGENT) }, (_, n) => ask(n)))
  }
  const rows = []
  let next = 0
  for (const [way, goOn] of Object.entries(WAYS)) {
    const [floor, figure] = [[], []]
    for (let n = -CALLS / 10; n < CALLS; n += 1) {
      next += 1
      const [few, many] = [
        await timed(alone, engineOf(alone, 'bot'), next, goOn),
        await timed(crowded, engineOf(crowded, 'bot'), next, goOn),
      ]
      if (n < 0) continue
      floor.push(few)
      figure.push(many)
    }
    const work = `${way}, ${OPEN + 1} questions, ${store}`
    rows.push(row({ work, unit: 'ms', floor: median(floor), figure: median(figure), atMost: 2 }))
  }
  for (const { ledger, approvals } of [alone, crowded]) {
    await ledger.close()
    await approvals.close()
  }
  return rows
}

/** The time from the answer that `sudoagent approvals approve` stored to the run of the waiting call. */
async function untilRun(store) {
  const place = await STORES[store](`run-${store}`)
  const engine = engineOf(place, 'runner')
  const times = []
  for (let n = 0; n < RUNS; n += 1) {
    const running = engine.authorize({ action: 'pay', args: [{ n }] }).then((answer) => ({ answer, at: Date.now() }))
    let asked
    while (asked === undefined) {
      ;[asked] = await place.approvals.list({ state: 'pending', agentId: 'runner' }, new Date())
      await new Promise((resolve) => setTimeout(resolve, 7 + (n % 13)))
    }
    const args = ['approvals', 'approve', place.place, asked.approvalId, '--approver', 'ada', '--yes']
    await promisify(execFile)(process.execPath, [CLI, ...args])
    const { answer, at } = await running
    const { resolvedAt } = await place.approvals.get(asked.approvalId, new Date())
    await engine.record(answer, { status: 'success' })
    times.push(at - resolvedAt.getTime())
  }
  await place.ledger.close()
  await place.approvals.close()
  const atMost = store === 'SQLite' ? 300 : 150
  return row({ work: `approval to run, ${RUNS} calls, ${store}`, unit: 'ms', figure: Math.max(...times), atMost })
}
