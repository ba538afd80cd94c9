// Runs several processes under load for minutes, causes faults, and then checks every invariant from outside.
//
// `--store postgres` starts a separate server, which is killed too. Prints a table of events, and exits with 1 and
// keeps the folder if an invariant is violated.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { allowedCall } from '../bench/call.mjs'
import { createSigner, generatePrivateKey } from '../packages/crypto/dist/index.js'
import { endWithUsage, readArguments } from '../tools/arguments.mjs'
import { Crew } from './crew.mjs'
import { FilePlace } from './file-place.mjs'
import { Invariants } from './invariants.mjs'

/** The stores under test. */
const PLACES = {
  sqlite: (folder) => new FilePlace('sqlite', folder),
  jsonl: (folder) => new FilePlace('jsonl', folder),
  postgres: async (folder) => (await import('./server-place.mjs')).ServerPlace.start(folder),
}
/** Units of one tool's budget, shared by all processes: few enough for the budget to be used up. */
const SCARCE = 40
/** Time between verifications while writers run, in milliseconds. */
const LOOK_MS = 3_000

const USAGE = 'pnpm soak [--minutes 3] [--store sqlite,jsonl,postgres] [--seed N] [--keep DIR]'

const values = readArguments(USAGE, {
  minutes: { type: 'string', default: '3' },
  store: { type: 'string', default: 'sqlite,jsonl' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  keep: { type: 'string' },
})
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 24 * 60)) endWithUsage(USAGE, '--minutes must be a number up to 1440 (a day)')
const seed = Number(values.seed)
if (!Number.isSafeInteger(seed)) endWithUsage(USAGE, '--seed must be a whole number')
const kinds = values.store.split(',')
for (const kind of kinds)
  if (!Object.hasOwn(PLACES, kind))
    endWithUsage(USAGE, `\`${kind}\` is not a store; the stores are ${Object.keys(PLACES).join(', ')}`)
const root = values.keep ?? mkdtempSync(join(tmpdir(), 'sudoagent-soak-'))
console.log(`soak: ${minutes} minutes, seed ${seed}, in ${root}`)

const results = await Promise.all(kinds.map((kind, n) => soak(kind, randomOf(seed + n))))
console.log(table(results))
const violations = results.flatMap((result) => result.violations)
for (const violation of violations) console.error(`VIOLATION ${violation}`)
console.log(
  violations.length === 0
    ? 'soak: nothing was lost, and nothing ran without a recorded decision'
    : `soak: ${violations.length} violations, see ${root}`,
)
if (violations.length === 0 && values.keep === undefined) rmSync(root, { recursive: true, force: true })
process.exitCode = violations.length === 0 ? 0 : 1

/** Runs one ledger, its crew, and its checks. */
async function soak(kind, random) {
  const folder = join(root, kind)
  mkdirSync(folder, { recursive: true })
  const key = generatePrivateKey()
  const keyFile = join(folder, 'public-key.pem')
  writeFileSync(keyFile, key.publicKey.pem)
  const place = await PLACES[kind](folder)
  const crew = new Crew(place, { key: key.pem, scarce: SCARCE, timeoutMs: 20_000 }, random)
  const invariants = new Invariants(place, { keyFile, scarce: SCARCE })
  const violations = invariants.violations
  try {
    let working = true
    const looking = (async () => {
      while (working) {
        await delay(LOOK_MS)
        await invariants.duringWork()
      }
    })()
    await crew.work(Date.now() + minutes * 60_000)
    working = false
    await looking
    await nextWriter(place, key)
    await invariants.atTheEnd(crew.answers)
    violations.push(...crew.deaths.map((death) => `${kind}: a worker exited unexpectedly: ${death}`))
    if (crew.answers.length === 0) violations.push(`${kind}: no call completed`)
  } catch (error) {
    violations.push(`${kind}: ${error.stack}`)
  }
  await place.close(violations.length > 0 || values.keep !== undefined)
  return {
    kind,
    happened: { ...crew.counts, ...place.counts, ...countBy(crew.answers), ...invariants.counts },
    violations,
  }
}

/**
 * Opens the ledger as the next writer does: moves aside the partial line that the last kill left, adds entries without
 * a head to the tree, and appends.
 */
async function nextWriter(place, key) {
  const { decision } = allowedCall(1)
  const ledger = await place.openWriter(createSigner(key))
  await ledger.append({ ...decision, decision: { ...decision.decision, effect: 'deny' } })
  await ledger.close()
}

function countBy(answers) {
  const counts = {}
  for (const { did, code } of answers) {
    const name = did === 'ran' ? 'result: ran' : `result: ${code}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** The events, with a row for each kind and a column for each ledger. */
function table(all) {
  const names = [...new Set(all.flatMap(({ happened }) => Object.keys(happened)))]
  const row = (cells) => cells.map((cell, n) => (n === 0 ? cell.padEnd(40) : String(cell).padStart(10))).join('')
  const rows = names.map((name) => row([name, ...all.map(({ happened }) => happened[name] ?? 0)]))
  return [row(['', ...all.map(({ kind }) => kind)]), ...rows].join('\n')
}

/** A seeded sequence of numbers from 0 to 1 (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
