// append-process.mjs <ledger> <calls at a time> <ms>: runs as one of several processes on one ledger. The process
// reports that it is ready, waits for the others, makes calls for the given time, and reports its calls per second.
import { guardedCalls } from './guarded.mjs'
import { during } from './rounds.mjs'

const [, , path, atATime, time] = process.argv
const { call, close } = guardedCalls(path)
await call(0)
process.send('ready')
process.once('message', async () => {
  let done = 0
  const start = performance.now()
  const isTime = () => performance.now() - start < Number(time)
  await during(isTime, Number(atATime), async (n) => {
    await call(n)
    done += 1
  })
  const perSecond = (1000 * done) / (performance.now() - start)
  await close()
  process.send(perSecond, () => process.disconnect())
})
