import type { EntryRecord, LedgerReader } from '@sudoagent/ledger'
import type { Command } from 'commander'
import type { Format } from '../deliver.js'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import type { Io } from '../io.js'
import { addOutputOptions } from './option.js'

export interface ExportOptions {
  readonly ledger: string
  readonly format?: Format
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('export')
    .summary('write a whole ledger as JSON, NDJSON or CSV')
    .description(
      'Writes every entry of a ledger in another format. Fails when an entry cannot be read: an export is whole, or it is not there. ' +
        'NDJSON holds the entries byte for byte and is a ledger that verifies; CSV is safe to open in a spreadsheet.',
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

/** Exports all of a ledger; exit 1 when it has no entry. */
export async function run({ ledger, format, output }: ExportOptions, io: Io): Promise<ExitCode> {
  const { withLedger } = await import('../io/ledger-file.js')
  const { chooseFormat, deliver } = await import('../deliver.js')
  const count = await withLedger(ledger, io, false, async ({ reader, hideProgress }) => {
    const delivery = { ledger, format: chooseFormat(format, output, 'json'), output, beforeTerminal: hideProgress }
    return deliver(everyEntry(reader, io), delivery, io)
  })
  if (count > 0) return EXIT.ok
  const { say } = await import('../message.js')
  const { noneWritten } = await import('../deliver.js')
  await say(io, 'note', noneWritten('the ledger has no entry', output))
  return EXIT.no
}

/** All entries, or an error at the first that is missing: `select` passes over what it cannot read, an export must not. */
async function* everyEntry(opened: LedgerReader, io: Io): AsyncGenerator<EntryRecord> {
  const { select } = await import('@sudoagent/ledger')
  const { requireWholeStore } = await import('../io/ledger-file.js')
  let lines = 0
  const reader: LedgerReader = {
    kind: opened.kind,
    sizeHint: opened.sizeHint,
    faults: () => opened.faults(),
    close: () => opened.close(),
    lineAt: (position) => opened.lineAt(position),
    linesOfCall: (requestId) => opened.linesOfCall(requestId),
    evidence: () => opened.evidence(),
    treeReader: (size) => opened.treeReader(size),
    async *batches(after) {
      for await (const batch of opened.batches(after)) {
        lines += batch.length
        yield batch
      }
    },
  }
  let next = 1
  for await (const record of select(reader)) {
    if (record.position !== next) throw unreadable(next)
    next += 1
    yield record
  }
  if (next <= lines) throw unreadable(next)
  await requireWholeStore(reader, io)
}

function unreadable(position: number): CliError {
  const hint = '`sudoagent verify` says what is wrong with it; `sudoagent filter` hands out what can be read'
  return new CliError(EXIT.no, `entry ${position} cannot be read, so the ledger cannot be exported whole`, hint)
}
