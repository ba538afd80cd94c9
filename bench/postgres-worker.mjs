// postgres-worker.mjs <url> <what> <count> <size>: one of several processes that write at the same time. `ledger` appends `count` entries with `size`
// of them in flight; `bare` inserts as many rows, `size` of them a transaction, as fast as `pg` can. Waits for a line on standard input before it
// begins, and prints how long it took.
import { PostgresLedger } from '../packages/postgres/dist/index.js'
import { allowedCall } from './call.mjs'
import { bareClient, insertBare } from './postgres-bare.mjs'

const [, , url, what, count, size] = process.argv
const offset = process.pid * 1_000_000
const go = () => new Promise((resolve) => process.stdin.once('data', resolve))
const ready = () => process.stdout.write('ready\n')
const drafts = Array.from({ length: Number(count) / 2 }, (_, n) => allowedCall(offset + n)).flatMap((call) => [
  call.decision,
  call.outcome,
])

if (what === 'ledger') {
  // Unsigned, as the rows that they stand beside.
  const ledger = await PostgresLedger.open(url, { busyTimeoutMs: 60_000 })
  ready()
  await go()
  const start = performance.now()
  let next = 0
  const appendOn = async () => {
    while (next < drafts.length) {
      const draft = drafts[next]
      next += 1
      await ledger.append(draft)
    }
  }
  await Promise.all(Array.from({ length: Number(size) }, appendOn))
  process.stdout.write(`${performance.now() - start}\n`)
  await ledger.close()
} else {
  const client = await bareClient(url)
  const lines = drafts.map((draft) => JSON.stringify({ ...draft, pad: 'x'.repeat(330) }))
  ready()
  await go()
  const start = performance.now()
  for (let from = 0; from < lines.length; from += Number(size))
    await insertBare(client, lines.slice(from, from + Number(size)))
  process.stdout.write(`${performance.now() - start}\n`)
  await client.end()
}
process.exit(0)
