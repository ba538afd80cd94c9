// Measures verification. The floors only read and hash the ledger's bytes.
//
//   node bench/verify.mjs [--quick] [--entries N] [--keep DIR] [--json FILE]
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openLedgerReader } from '../packages/ledger/dist/index.js'
import { verifyFrom } from '../packages/ledger/dist/state.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { hashJsonl, hashSqlite } from './floor.mjs'
import { appendCalls, keptLedger, signer } from './ledgers.mjs'
import { readOptions } from './options.mjs'
import { alternate } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, entries, json, work, kept } = readOptions()
const rounds = size(3, 1)
const fewer = entries / 10
const large = await keptLedger(kept, 'sqlite', entries)
const publicKeys = [signer.publicKey]

report(
  'verify',
  [
    await unsigned('SQLite', large, hashSqlite, 2),
    await unsigned('JSONL', await keptLedger(kept, 'jsonl', entries), hashJsonl, 3),
    await signed(),
    await again(),
    ...(await memory()),
  ],
  json,
)

/** Opens, verifies and closes a ledger. Throws if the ledger does not verify. */
async function check(path, options) {
  const reader = await openLedgerReader(path)
  const { report: found, state } = await verifyFrom(reader, options)
  await reader.close()
  if (!found.ok) throw new Error(`${path} does not verify: ${JSON.stringify(found.findings[0])}`)
  return state
}

/** Floor: reading and hashing the stored bytes on one thread. */
async function unsigned(kind, path, hashAll, atMost) {
  const ms = await alternate(rounds, {
    floor: () => hashAll(path),
    figure: async () => {
      await check(path)
    },
  })
  return row({ work: `verify ${entries} entries, ${kind}`, unit: 'ms', ...ms, atMost })
}

/** Floor: the same number of verifications with node:crypto, on one thread per core. */
async function signed() {
  const path = await keptLedger(kept, 'sqlite', fewer, { signed: true })
  const threads = availableParallelism()
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('signature-worker.mjs', import.meta.url), { workerData: Math.ceil(fewer / threads) }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const ms = await alternate(rounds, {
    floor: async () => {
      const done = workers.map((worker) => once(worker, 'message'))
      for (const worker of workers) worker.postMessage('go')
      await Promise.all(done)
    },
    figure: async () => {
      await check(path, { publicKeys })
    },
  })
  await Promise.all(workers.map((worker) => worker.terminate()))
  return row({ work: `verify ${fewer} signed entries`, unit: 'ms', ...ms, atMost: 1.3 })
}

/** Floor: verifying a ledger that has only as many entries as were added. */
async function again() {
  const added = size(1_000, 100)
  const path = join(work, 'again.sqlite')
  copyFileSync(large, path)
  const state = await check(path)
  const ledger = SqliteLedger.open(path)
  await appendCalls(ledger, entries, entries + added / 2)
  await ledger.close()
  const small = await keptLedger(work, 'sqlite', added)
  const ms = await alternate(size(21, 1), {
    floor: async () => {
      await check(small)
    },
    figure: async () => {
      await check(path, { resume: state })
    },
  })
  return row({ work: `verify ${added} new of ${entries}, with a state`, unit: 'ms', ...ms, atMost: 3 })
}

/** Floor: a tenth of the entries. Each measurement runs in its own process and reports the largest resident set. */
async function memory() {
  const [floor, figure] = [await keptLedger(kept, 'sqlite', fewer), large].map(peakOfVerify)
  const name = `memory of verify, ${entries} entries`
  return [
    row({ work: `${name}, floor ${fewer}`, unit: 'MiB', floor, figure, atMost: 1.5 }),
    row({ work: name, unit: 'MiB', figure, atMost: 300 }),
  ]
}

function peakOfVerify(path) {
  const script = fileURLToPath(new URL('verify-memory.mjs', import.meta.url))
  return Number(spawnSync(process.execPath, [script, path], { encoding: 'utf8' }).stdout)
}
