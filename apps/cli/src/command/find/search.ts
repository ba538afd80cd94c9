import type { Command } from 'commander'
import type { ExitCode } from '../../exit.js'
import { addOutputOptions, addTimeOptions, formatOf } from '../../option.js'
import type { Format } from '../../terminal/deliver.js'
import type { Io } from '../../terminal/io.js'

export interface SearchOptions {
  readonly ledger: string
  readonly query: string
  readonly start?: string
  readonly end?: string
  readonly format?: Format
  /** Same as `format: 'json'`. */
  readonly json?: boolean
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('search')
    .summary('find entries that contain a string')
    .description(
      'Finds the entries in which a value or a member name contains the string, ignoring case. Prints a table on a terminal, otherwise NDJSON. ' +
        'Exits with 1 if nothing matches.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--query <text>', 'the string to find')
  addTimeOptions(command)
  addOutputOptions(command, ['table', 'json', 'ndjson', 'csv'], 'table on a terminal and ndjson elsewhere')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent search ledger.sqlite --query 'ticket 4711'
  $ sudoagent search ledger.sqlite --query user_7 --start 2026-11-01 --end 2026-11-30 --output user_7.csv`,
    )
    .action(async (ledger: string, options: Omit<SearchOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run({ ledger, query, format, json, output, ...times }: SearchOptions, io: Io): Promise<ExitCode> {
  const { runSelection } = await import('./select.js')
  return runSelection({ ledger, criteria: { text: query, ...times }, format: formatOf(format, json), output }, io)
}
