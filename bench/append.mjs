// Measures the cost of a guarded call, including the durable decision and outcome. The store is SQLite with WAL and
// synchronous=FULL.
//
//   node bench/append.mjs [--quick] [--entries N] [--keep DIR] [--json FILE]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { allowedCall } from './call.mjs'
import { rawLedger, signTimes, storedRows } from './floor.mjs'
import { guardedCalls } from './guarded.mjs'
import { keptLedger, signer } from './ledgers.mjs'
import { readOptions } from './options.mjs'
import { alternate, inFlight, median } from './rounds.mjs'
import { report, row } from './table.mjs'

const MANY = 64
/** Nanoseconds in a millisecond. */
const NANOSECONDS = 1e6
const LOOP_TURNS_MS = 5

const { size, entries, json, work, kept } = readOptions()
const rounds = size(9, 1)
const PROCESSES = size(4, 2)

report(
  'append',
  [
    await oneAtATime('unsigned', {}, 0),
    await oneAtATime('signed', { signer }, 4),
    ...(await manyUnsigned()),
    await manySigned(),
    ...(await manyProcesses('one call at a time each', 1)),
    ...(await manyProcesses(`${MANY} in flight each`, MANY)),
    await largeAndSmall(),
  ],
  json,
)

/** Floor: two commits of one row each, with the same bytes that our calls wrote, plus the signatures. */
async function oneAtATime(name, options, signatures) {
  const calls = size(300, 5)
  const path = join(work, `one-${name}.sqlite`)
  const { call, close } = guardedCalls(path, options)
  await inFlight(calls, 1, call)
  const written = storedRows(path, 2 * calls)
  const raw = rawLedger(join(work, `one-${name}-floor.sqlite`))
  const ms = await alternate(rounds, {
    floor: () => {
      for (const stored of written) {
        signTimes(signatures / 2)
        raw.commit([stored])
      }
    },
    figure: () => inFlight(calls, 1, call),
  })
  await close()
  raw.close()
  const each = 1000 / calls
  return row({
    work: `one call at a time, ${name}`,
    unit: 'µs',
    floor: ms.floor * each,
    figure: ms.figure * each,
    atMost: 1.5,
  })
}

/**
 * Floor: the same rows in transactions of 64. Also measures the delay of the event loop, which delays every timer of
 * the process.
 */
async function manyUnsigned() {
  const calls = size(3_000, 64)
  const path = join(work, 'many.sqlite')
  const { call, close } = guardedCalls(path)
  await inFlight(calls, MANY, call)
  const written = storedRows(path, 2 * calls)
  const raw = rawLedger(join(work, 'many-floor.sqlite'))
  const delays = []
  const ms = await alternate(rounds, {
    floor: () => {
      for (let from = 0; from < written.length; from += MANY) raw.commit(written.slice(from, from + MANY))
    },
    figure: async () => {
      // Node reports the whole duration of a one-millisecond timer, so that even an idle loop shows about 1 ms. The
      // loop must turn before and after, because the histogram records the time between turns.
      const late = monitorEventLoopDelay({ resolution: 1 })
      late.enable()
      await delay(LOOP_TURNS_MS)
      const start = performance.now()
      await inFlight(calls, MANY, call)
      const taken = performance.now() - start
      await delay(LOOP_TURNS_MS)
      late.disable()
      delays.push(late.percentile(99) / NANOSECONDS)
      return taken
    },
  })
  await close()
  raw.close()
  const perSecond = (taken) => (2 * calls * 1000) / taken
  return [
    row({
      work: '64 calls in flight, unsigned',
      unit: 'rows/s',
      floor: perSecond(ms.floor),
      figure: perSecond(ms.figure),
      atLeast: 0.2,
    }),
    row({ work: 'event loop with 64 in flight, p99', unit: 'ms', figure: median(delays), atMost: 20 }),
  ]
}

/** Floor: two Ed25519 signatures for each call. */
async function manySigned() {
  const calls = size(2_000, 64)
  const { call, close } = guardedCalls(join(work, 'many-signed.sqlite'), { signer })
  const ms = await alternate(rounds, { floor: () => signTimes(2 * calls), figure: () => inFlight(calls, MANY, call) })
  await close()
  const perSecond = (taken) => (calls * 1000) / taken
  return row({
    work: '64 calls in flight, signed',
    unit: 'calls/s',
    floor: perSecond(ms.floor),
    figure: perSecond(ms.figure),
    atLeast: 0.5,
  })
}

/** Floor: a single process. Each process makes calls for the same time and reports its calls per second. */
async function manyProcesses(how, atATime) {
  const time = size(1_500, 50)
  const shares = []
  const perSecond = await alternate(size(5, 1), {
    floor: async (round) => sum(await ratesOf(join(work, `alone-${atATime}-${round}.sqlite`), 1, atATime, time)),
    figure: async (round) => {
      const rates = await ratesOf(join(work, `together-${atATime}-${round}.sqlite`), PROCESSES, atATime, time)
      const all = sum(rates)
      shares.push(rates.map((rate) => (100 * rate) / all))
      return all
    },
  })
  const name = `${PROCESSES} processes, ${how}`
  return [
    row({ work: name, unit: 'calls/s', ...perSecond, atLeast: 0.8 }),
    row({ work: '  smallest share', unit: '%', figure: median(shares.map((list) => Math.min(...list))), atLeast: 10 }),
    row({ work: '  largest share', unit: '%', figure: median(shares.map((list) => Math.max(...list))), atMost: 50 }),
  ]
}

async function ratesOf(path, processes, atATime, time) {
  const children = Array.from({ length: processes }, () =>
    fork(new URL('append-process.mjs', import.meta.url), [path, String(atATime), String(time)]),
  )
  // All processes start together, once all are ready.
  await Promise.all(children.map((child) => once(child, 'message')))
  const rates = children.map(async (child) => (await once(child, 'message'))[0])
  for (const child of children) child.send('go')
  return Promise.all(rates)
}

/** Floor: an append to a ledger of a thousand entries. */
async function largeAndSmall() {
  const appends = size(200, 5)
  const open = async (count) => {
    const path = join(work, `append-${count}.sqlite`)
    copyFileSync(await keptLedger(kept, 'sqlite', count), path)
    return SqliteLedger.open(path)
  }
  const [small, large] = [await open(1_000), await open(entries)]
  let n = 2 * entries
  const appendTo = (ledger) => () => inFlight(appends, 1, () => ledger.append(allowedCall(n++).decision))
  const ms = await alternate(rounds, { floor: appendTo(small), figure: appendTo(large) })
  await Promise.all([small.close(), large.close()])
  const each = 1000 / appends
  return row({
    work: `append at ${entries} entries, floor at 1000`,
    unit: 'µs',
    floor: ms.floor * each,
    figure: ms.figure * each,
    atMost: 1.2,
  })
}

function sum(list) {
  return list.reduce((total, value) => total + value, 0)
}
