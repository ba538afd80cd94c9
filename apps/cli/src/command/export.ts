import type { LedgerReader } from '@sudoagent/ledger'
import type { ExportFormat, ExportOptions as LedgerExportOptions } from '@sudoagent/ledger/export'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { addOutputOptions, formatOf } from '../option.js'
import type { Io } from '../terminal/io.js'

export interface ExportOptions {
  readonly ledger: string
  readonly format?: ExportFormat
  /** Same as `format: 'json'`. */
  readonly json?: boolean
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('export')
    .summary('write a whole ledger as JSON, NDJSON or CSV')
    .description(
      'Writes every ledger entry in a different format. Fails if an entry cannot be read; a partial export is never written to a file. ' +
        'NDJSON contains the entries byte for byte and is a JSONL ledger itself; CSV is safe to open in a spreadsheet.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
  addOutputOptions(command, ['json', 'ndjson', 'csv'], 'json')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent export ledger.sqlite --output ledger.csv
  $ sudoagent export ledger.sqlite --format ndjson | gzip > ledger.jsonl.gz`,
    )
    .action(async (ledger: string, options: Omit<ExportOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

/** Exports the whole ledger. @returns 1 if it has no entries */
export async function run({ ledger, format, json, output }: ExportOptions, io: Io): Promise<ExitCode> {
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { chooseFormat, deliverText, noneWritten } = await import('../terminal/deliver.js')
  const { isStdout } = await import('../terminal/output.js')
  // A terminal shows each entry as it is read.
  const isOneByOne = isStdout(output) && io.stdout.isTerminal
  const count = await withLedger(ledger, io, false, async ({ reader, showProgress, hideProgress }) => {
    const chosen = chooseFormat(formatOf(format, json), output, 'json')
    const delivery = { ledger, format: chosen, output, beforeTerminal: hideProgress }
    let entries = 0
    const onProgress = (done: number): void => {
      entries = done
      showProgress(done)
    }
    return deliverText(everyEntry(reader, chosen, { isOneByOne, onProgress }, io), () => entries, delivery, io)
  })
  if (count > 0) return EXIT.ok
  const { printMessage } = await import('../terminal/message.js')
  await printMessage(io, 'note', noneWritten('the ledger has no entries', output))
  return EXIT.no
}

/** Yields all entries; throws at the first unreadable entry. */
async function* everyEntry(
  reader: LedgerReader,
  format: ExportFormat,
  options: LedgerExportOptions,
  io: Io,
): AsyncGenerator<string> {
  const { exportLedger } = await import('@sudoagent/ledger/export')
  const { requireWholeStore } = await import('../ledger/ledger-file.js')
  yield* exportLedger(reader, format, { ...options, onUnreadable, beforeEnd: () => requireWholeStore(reader, io) })
}

function onUnreadable(position: number): never {
  const hint = '`sudoagent verify` shows the problem; `sudoagent filter` outputs the readable entries'
  throw new CliError(EXIT.no, `entry ${position} cannot be read, so the ledger was not exported`, hint)
}
