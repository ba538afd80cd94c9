// Parses the command lines of the scripts in bench, soak and tools.
import { parseArgs } from 'node:util'

/**
 * Returns the options on the command line, by name. `--help` prints the usage and exits with 0; an unknown option exits
 * with 2.
 *
 * @param usage - one line that shows how to call the script
 * @param options - options in the form that `parseArgs` of `node:util` accepts
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
    // The remaining lines of the message explain how to write values that begin with a dash.
    return endWithUsage(usage, error.message.split('\n', 1)[0])
  }
}

/** Prints the problem in one line, then the usage, and exits with 2. */
export function endWithUsage(usage, problem) {
  console.error(`${problem}\nusage: ${usage}`)
  process.exit(2)
}
