// Runs the command line as a process: handles signals and sets the exit code.

import { fail, main } from './main.js'
import { createIo } from './terminal/io.js'

/** Signals that end a command, with their numbers. Shells expect the exit code 128 plus the signal number. */
const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const

const io = createIo(process)
for (const [signal, number] of SIGNALS) {
  process.on(signal, () => {
    // The first signal asks the command to stop; a second signal ends the process.
    if (io.stop()) return
    io.cleanUp()
    process.exit(128 + number)
  })
}
// An error thrown in a callback, which `main` cannot catch, ends the process with the usual message.
process.once('uncaughtException', (error) => {
  io.cleanUp()
  void fail(error, io).then((code) => process.exit(code))
})
void main(process.argv, io).then((code) => process.exit(code))
