// The process: signals in, an exit code out.

import { fail, main } from './main.js'
import { createIo } from './terminal/io.js'

/** Signals that end a command, with their numbers: a shell expects 128 and the number. */
const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const

const io = createIo(process)
for (const [signal, number] of SIGNALS) {
  process.on(signal, () => {
    // A second signal ends what does not end.
    if (io.stop()) return
    io.cleanUp()
    process.exit(128 + number)
  })
}
// What escapes `main` escaped from a callback. It ends the process all the same, in our words.
process.once('uncaughtException', (error) => {
  io.cleanUp()
  void fail(error, io).then((code) => process.exit(code))
})
void main(process.argv, io).then((code) => process.exit(code))
