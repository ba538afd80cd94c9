// Measures stops and authorities: what they add to a call and to verification, and how soon a stop by another process
// is obeyed.
//
//   node bench/stops.mjs [--quick] [--entries N] [--keep DIR] [--json FILE]
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { SudoEngine } from '../packages/core/dist/index.js'
import { openLedgerReader, verify } from '../packages/ledger/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { allowedCall } from './call.mjs'
import { keptLedger } from './ledgers.mjs'
import { obeyed } from './obeyed.mjs'
import { readOptions } from './options.mjs'
import { alternate, during } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, entries, json, work, kept } = readOptions()
const rounds = size(5, 1)
const NOTE = { reason: 'benchmark', by: 'benchmark' }
const AUTHORITY = {
  on_behalf_of: { assurance: 'asserted', id: 'u-4711', type: 'user' },
  session: 's-17',
  tenant: 'acme',
}
const plain = await keptLedger(kept, 'sqlite', entries)

const path = join(work, 'obeyed.sqlite')
const stopped = { place: path, ledger: SqliteLedger.open(path), openReader: () => openLedgerReader(path) }
report(
  'stops',
  [await denials(), await authorities(), await openStop(), ...(await obeyed(stopped, size(100_000, 500)))],
  json,
)

/** Calls one at a time that are denied by a stop of everything; floor: the same calls, allowed and run. */
async function denials() {
  const count = size(1_000, 20)
  const engines = await Promise.all(['free', 'stopped'].map((name) => openEngine(join(work, `${name}.sqlite`))))
  const [free, stopped] = engines
  await stopped.engine.stop({ all: true }, NOTE)
  const ms = await alternate(rounds, {
    floor: () =>
      during(
        (n) => n < count,
        1,
        (n) => free.call(n),
      ),
    figure: () =>
      during(
        (n) => n < count,
        1,
        (n) => stopped.call(n).catch(() => {}),
      ),
  })
  await Promise.all(engines.map(({ engine }) => engine.close()))
  return row({ work: `${count} calls denied by a stop, floor: allowed`, unit: 'ms', ...ms, atMost: 1 })
}

async function openEngine(ledger) {
  const policy = { policyId: 'p', version: '1', evaluate: () => ({ decision: 'allow', reason: 'fine' }) }
  const engine = await SudoEngine.open({ agentId: 'bot', policy, ledger: SqliteLedger.open(ledger) })
  return { engine, call: engine.guard('act', async (n) => n) }
}

/** Floor: a ledger of the same calls without an authority. */
async function authorities() {
  const path = await callsWith('authority', ({ decision, outcome }) => [{ ...decision, authority: AUTHORITY }, outcome])
  return verified('with authorities', path, 1 / 0.9)
}

/** Floor: the same ledger without a stop. */
async function openStop() {
  const path = await callsWith(
    'stopped',
    ({ decision, outcome }) => [decision, outcome],
    async (ledger) => {
      await ledger.stop({ agent: 'another-*', tenant: 'acme' }, NOTE)
    },
  )
  return verified('with a stop open', path, 1 / 0.8)
}

async function verified(what, path, atMost) {
  const check = async (place) => {
    const reader = await openLedgerReader(place)
    const { ok } = await verify(reader)
    await reader.close()
    if (!ok) throw new Error(`${place} does not verify`)
  }
  const ms = await alternate(size(3, 1), { floor: () => check(plain), figure: () => check(path) })
  return row({ work: `verify ${entries} entries ${what}`, unit: 'ms', ...ms, atMost: Number(atMost.toFixed(2)) })
}

/** A ledger of as many calls, kept for the next run. */
async function callsWith(name, draftsOf, first = async () => {}) {
  const path = join(kept, `${entries}-${name}.sqlite`)
  if (existsSync(path)) return path
  const unfinished = join(kept, `unfinished-${process.pid}.sqlite`)
  const ledger = SqliteLedger.open(unfinished)
  await first(ledger)
  for (let n = 0; n < entries / 2; n += 512) {
    const group = Array.from({ length: Math.min(512, entries / 2 - n) }, (_, i) => draftsOf(allowedCall(n + i)))
    await Promise.all(group.flat().map((draft) => ledger.append(draft)))
  }
  await ledger.close()
  renameSync(unfinished, path)
  return path
}
