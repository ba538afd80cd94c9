// Concurrent decisions of this process, which another process stops in the middle: how many are allowed after the stop,
// and how soon the first one is refused.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { verify } from '../packages/ledger/dist/index.js'
import { allowedCall } from './call.mjs'
import { during } from './rounds.mjs'
import { row } from './table.mjs'

/**
 * @param place - the path or URL of the ledger, for the other process
 * @param openReader - opens the ledger to verify it
 * @param total - the number of decisions
 */
export async function obeyed({ place, ledger, openReader }, total) {
  await ledger.begin()
  const stopper = spawn(process.execPath, [fileURLToPath(new URL('stopper.mjs', import.meta.url)), place], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(stopper, 'exit')
  await once(stopper.stdout, 'data')
  let stoppedAt = null
  let refusedAt = null
  stopper.stdout.once('data', () => {
    stoppedAt = performance.now()
  })
  await during(
    (n) => n < total,
    64,
    async (n) => {
      if (n === Math.floor(total / 2)) stopper.stdin.write('stop\n')
      try {
        await ledger.append(allowedCall(n).decision)
      } catch (error) {
        if (error.code !== 'STOPPED') throw error
        refusedAt ??= performance.now()
      }
    },
  )
  await exited
  await ledger.close()
  const reader = await openReader()
  const { ok, stops, decisions } = await verify(reader)
  await reader.close()
  if (!ok || stops.length !== 1) throw new Error('the stop was not obeyed')
  return [
    row({
      work: `allowed after a stop, of ${total} decisions`,
      unit: '%',
      figure: (100 * (decisions - stops[0].in_flight)) / total,
      atMost: 0,
    }),
    row({
      work: 'from the end of `stop` to the first refusal',
      unit: 'ms',
      figure: Math.max(0, refusedAt - stoppedAt),
    }),
  ]
}
