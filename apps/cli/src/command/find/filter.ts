import { type Command, Option } from 'commander'
import type { ExitCode } from '../../exit.js'
import { addOutputOptions, addTimeOptions, formatOf } from '../../option.js'
import type { Format } from '../../terminal/deliver.js'
import type { Io } from '../../terminal/io.js'

export interface FilterOptions {
  readonly ledger: string
  readonly requestId?: string
  readonly action?: string
  readonly agentId?: string
  readonly onBehalfOf?: string
  readonly tenant?: string
  readonly session?: string
  readonly event?: string
  readonly effect?: string
  readonly reasonCode?: string
  readonly outcome?: string
  readonly start?: string
  readonly end?: string
  readonly limit?: string
  readonly format?: Format
  /** Same as `format: 'json'`. */
  readonly json?: boolean
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('filter')
    .summary('find entries by field')
    .description(
      'Finds the entries that match all options. With both --effect and --outcome, the conditions apply to the call, and both of its entries ' +
        'match; --event selects one of the two. Prints a table on a terminal, otherwise NDJSON. Exits with 1 if nothing matches.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--request-id <id>', 'request id of one call')
    .option('--action <name>', 'the tool that was called')
    .option('--agent-id <id>', 'the agent that called it')
    .option('--on-behalf-of <id>', 'the person or service for which the agent called it (decisions)')
    .option('--tenant <name>', 'the tenant of the call (decisions)')
    .option('--session <id>', 'the session of the call (decisions)')
    .addOption(new Option('--event <event>', 'kind of entry').choices(['decision', 'outcome', 'checkpoint']))
    .addOption(new Option('--effect <effect>', 'the decision').choices(['allow', 'deny']))
    .option('--reason-code <code>', 'reason code of the decision')
    .addOption(new Option('--outcome <status>', 'result of the call').choices(['success', 'error']))
  addTimeOptions(command).option('--limit <count>', 'stop after this number of entries')
  addOutputOptions(command, ['table', 'json', 'ndjson', 'csv'], 'table on a terminal and ndjson elsewhere')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent filter ledger.sqlite --effect deny --start 2026-11-22
  $ sudoagent filter ledger.sqlite --action refund_user --outcome error --output failed.csv
  $ sudoagent filter ledger.sqlite --effect allow --outcome error
  $ sudoagent filter ledger.sqlite --agent-id support-bot | jq -r .request_id`,
    )
    .action(async (ledger: string, options: Omit<FilterOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run({ ledger, format, json, output, ...criteria }: FilterOptions, io: Io): Promise<ExitCode> {
  const { runSelection } = await import('./select.js')
  return runSelection({ ledger, criteria, format: formatOf(format, json), output }, io)
}
