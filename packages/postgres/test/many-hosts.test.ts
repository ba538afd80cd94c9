// Tests many processes that share a ledger and a budget. Exactly one call must run for each unit of the budget, the
// hash chain must be complete, and the ledger must contain evidence of each call. The slow form (SLOW=1) has 8
// processes, 20,000 calls and 10,000 units.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { select, verify } from '@sudoagent/ledger'
import { isCallEntry } from '@sudoagent/ledger/entry'
import { beforeAll, expect, it } from 'vitest'
import { byTier } from '../../../test/tier.js'
import { testKey } from '../../ledger/test/fixtures/draft.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { asSuperuser } from './server/cluster.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

const [PROCESSES, CALLS, UNITS] = byTier({ short: [4, 400, 200], long: [8, 1_600, 800], slow: [8, 20_000, 10_000] })

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

interface Told {
  readonly allowed: number
  readonly denied: number
  readonly ran: number
  readonly other: object
}

async function work(url: string, name: string): Promise<Told> {
  const script = join(import.meta.dirname, 'fixtures/guarded.mjs')
  const args = [script, url, database, name, String(CALLS / PROCESSES), '16', String(UNITS)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  await once(child, 'close')
  return JSON.parse(stdout) as Told
}

it(`${PROCESSES} processes make ${CALLS} guarded calls on a budget of ${UNITS}: exactly ${UNITS} run`, {
  timeout: 900_000,
}, async () => {
  const url = ledgerUrl(database)
  const told = await Promise.all(Array.from({ length: PROCESSES }, (_, n) => work(url, `host-${n}`)))
  const sum = (what: 'allowed' | 'denied' | 'ran'): number => told.reduce((total, one) => total + one[what], 0)
  console.info(`told: ${sum('allowed')} allowed, ${sum('denied')} denied, ${sum('ran')} ran`)
  expect(told.map(({ other }) => other)).toEqual(Array(PROCESSES).fill({}))
  expect([sum('allowed'), sum('denied'), sum('ran')]).toEqual([UNITS, CALLS - UNITS, UNITS])

  const reader = await openPostgresLedger(url)
  const report = await verify(reader, { publicKeys: [testKey(1).publicKey] })
  expect(report).toMatchObject({
    verdict: 'signed',
    findings: [],
    entries: 1 + CALLS + UNITS,
    decisions: CALLS,
    outcomes: UNITS,
    open: 0,
    tail: 0,
  })
  const effects = { allow: 0, deny: 0 }
  const agents = new Set<string>()
  for await (const { entry } of select(reader, { event: 'decision' })) {
    if (!isCallEntry(entry)) continue
    effects[entry.decision.effect ?? 'deny'] += 1
    agents.add(entry.agent_id)
  }
  await reader.close()
  expect(effects).toEqual({ allow: UNITS, deny: CALLS - UNITS })
  expect(agents.size).toBe(PROCESSES)
  const charges = await asSuperuser(
    database,
    'SELECT state, count(*)::int AS calls, sum(cost)::int AS units FROM sudoagent.budget_charge GROUP BY state',
  )
  expect(charges).toEqual([{ state: 'committed', calls: UNITS, units: UNITS }])
})
