// The command lines of bench and soak.
import { parseArgs } from 'node:util'

/**
 * The options on the command line, by name. `--help` prints the usage and exits with 0;
 * an unknown option exits with 2.
 *
 * @param usage - how the tool is called, one line
 * @param options - as `parseArgs` of `node:util` takes them
 */
export function readArguments(usage, options) {
  const { help, ...values } = valuesOf(usage, { ...options, help: { type: 'boolean', short: 'h', default: false } })
  if (!help) return values
  console.log(`usage: ${usage}`)
  process.exit(0)
}

function valuesOf(usage, options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    // Behind its first line it gives advice on how to write values that begin with a dash.
    return endWithUsage(usage, error.message.split('\n', 1)[0])
  }
}

/** Ends the process with 2: `problem` says in a line what is wrong with its command line. */
export function endWithUsage(usage, problem) {
  console.error(`${problem}\nusage: ${usage}`)
  process.exit(2)
}
