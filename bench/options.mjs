// Parses the command line options shared by all sections.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithUsage, readArguments } from '../tools/arguments.mjs'

/** Options that `index.mjs` also accepts and passes on. */
export const SHARED_OPTIONS = {
  quick: { type: 'boolean', default: false },
  entries: { type: 'string' },
  keep: { type: 'string' },
  json: { type: 'string' },
}
export const SHARED_USAGE = '[--quick] [--entries N] [--keep DIR] [--json FILE]'

/** Returns the size of the large ledger. Ends the process if the value is invalid. */
export function entriesOf({ quick, entries }, usage) {
  const count = Number(entries ?? (quick ? 2_000 : 1_000_000))
  if (!Number.isSafeInteger(count) || count < 1_000) endWithUsage(usage, '--entries must be a number of at least 1000')
  return count
}

/**
 *   --quick        tiny sizes: shows only that the section runs
 *   --entries N    size of the large ledger; default: 1,000,000
 *   --keep DIR     folder that keeps large ledgers for the next run; default: a temporary folder
 *   --json FILE    also write the rows as JSON
 *
 * @param counts - further numeric options of a section, with their defaults
 */
export function readOptions(counts = {}) {
  const more = Object.entries(counts).map(([name, count]) => [name, { type: 'string', default: String(count) }])
  const names = Object.keys(counts).map((name) => ` [--${name} N]`)
  const usage = `node bench/SECTION.mjs ${SHARED_USAGE}${names.join('')}`
  const values = readArguments(usage, { ...SHARED_OPTIONS, ...Object.fromEntries(more) })
  const { quick, keep, json } = values
  const entries = entriesOf(values, usage)
  const numbers = Object.fromEntries(Object.keys(counts).map((name) => [name, Number(values[name])]))
  for (const [name, count] of Object.entries(numbers))
    if (!Number.isSafeInteger(count) || count < 1) endWithUsage(usage, `--${name} must be a number of at least 1`)
  const work = mkdtempSync(join(tmpdir(), 'sudoagent-bench-'))
  process.once('exit', () => rmSync(work, { recursive: true, force: true }))
  if (keep !== undefined) mkdirSync(keep, { recursive: true })
  /** `size(full, tiny)` selects the amount of work. */
  const size = (full, tiny) => (quick ? tiny : full)
  return { size, entries, json, work, kept: keep ?? work, ...numbers }
}
