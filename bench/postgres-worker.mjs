// postgres-worker.mjs <url> <what> <count> <size>: writes as one of several concurrent processes. `ledger`
// appends `count` entries, `size` of them in flight. `bare` inserts `count` rows, `size` in each transaction, as fast
// as `pg` can. Both modes first do half of the work as a warm-up. The process then reports that it is ready, waits
// for a line on standard input, and prints the elapsed time.
import { PostgresLedger } from '../packages/postgres/dist/index.js'
import { allowedCall } from './call.mjs'
import { bareClient, insertBare } from './postgres-bare.mjs'
import { inFlight } from './rounds.mjs'

const [, , url, what, count, size] = process.argv
const offset = process.pid * 1_000_000
const drafts = (from, calls) =>
  Array.from({ length: calls }, (_, n) => allowedCall(offset + from + n)).flatMap((call) => [
    call.decision,
    call.outcome,
  ])

/** Does the work twice: the first run warms up, the second is measured. */
async function measure(prepare, work) {
  const [first, then] = [prepare(0, count / 4), prepare(count / 4, count / 2)]
  await work(first)
  process.stdout.write('ready\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const start = performance.now()
  await work(then)
  process.stdout.write(`${performance.now() - start}\n`)
}

if (what === 'ledger') {
  // The ledger is unsigned, like the rows that it is compared with.
  const ledger = await PostgresLedger.open(url, { busyTimeoutMs: 60_000 })
  await measure(drafts, (list) => inFlight(list.length, Number(size), (n) => ledger.append(list[n])))
  await ledger.close()
} else {
  const client = await bareClient(url)
  const linesOf = (from, calls) =>
    drafts(from, calls).map((draft) => JSON.stringify({ ...draft, pad: 'x'.repeat(330) }))
  await measure(linesOf, async (lines) => {
    for (let from = 0; from < lines.length; from += Number(size))
      await insertBare(client, lines.slice(from, from + Number(size)))
  })
  await client.end()
}
process.exit(0)
