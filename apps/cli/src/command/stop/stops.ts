import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface StopsOptions {
  readonly ledger: string
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('stops')
    .summary('list the open stops of a ledger (unverified)')
    .description('Lists the stops that have not been ended. Verifies nothing; `sudoagent verify` lists them, too.')
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent stops ledger.sqlite`,
    )
    .action(async (ledger: string, options: Omit<StopsOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run({ ledger, json = false }: StopsOptions, io: Io): Promise<ExitCode> {
  const { inspect } = await import('@sudoagent/ledger/inspect')
  const { withLedger } = await import('../../ledger/ledger-file.js')
  const { renderStops } = await import('./stops-text.js')
  const { stops } = await withLedger(ledger, io, json, ({ reader }) => inspect(reader))
  if (json) await print(io.stdout, `${JSON.stringify(stops, null, 2)}\n`)
  else await print(io.stdout, renderStops(stops, io.stdout.columns))
  return EXIT.ok
}
