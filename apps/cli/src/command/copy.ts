import type { LedgerSink } from '@sudoagent/ledger/copy'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../terminal/io.js'

export interface CopyOptions {
  readonly from: string
  readonly to: string
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('copy')
    .summary('copy a ledger, unchanged, into another store')
    .description(
      'Copies every entry of a ledger, byte for byte, with its tree and head, between SQLite, JSONL and PostgreSQL. Each entry is checked on the ' +
        'way, and the copy is verified when it is whole. A copy that was cut off goes on where it ended; what is something else is never written over.',
    )
    .argument('<from>', 'the ledger: a file, or postgres://host/database?ledger=name')
    .argument('<to>', 'the copy: a file whose name ends in .sqlite or .jsonl, or such a URL')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent copy ledger.sqlite 'postgres://agent@db.example.com/evidence?ledger=payments'
  $ sudoagent copy 'postgres://auditor@db.example.com/evidence?ledger=payments' payments.jsonl`,
    )
    .action(async (from: string, to: string, options: Pick<CopyOptions, 'json'>) => {
      io.exitCode = await run({ from, to, ...options }, io)
    })
}

/** Copies, verifies the copy, and says what it holds. */
export async function run({ from, to, json = false }: CopyOptions, io: Io): Promise<ExitCode> {
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { copyLedger } = await import('@sudoagent/ledger/copy')
  const { printable, verify } = await import('@sudoagent/ledger')
  await refuseSame(from, to)
  const { entries, found } = await withLedger(from, io, false, async ({ reader }) => {
    const sink = await openSink(to)
    try {
      return await copyLedger(reader, sink)
    } finally {
      await sink.close()
    }
  })
  // A writer may have gone on with the ledger meanwhile; what was copied is a moment of it, and stands for itself.
  const report = await withLedger(to, io, false, ({ reader }) => verify(reader))
  const [finding] = report.findings
  if (!report.ok) {
    const why = finding === undefined ? 'nothing is in it' : `${finding.message} (${finding.code})`
    throw new CliError(
      EXIT.no,
      `the copy does not verify: ${why}`,
      `\`sudoagent verify\` says whether \`${from}\` does`,
    )
  }
  if (json) {
    const value = { entries, already_there: found, root: report.head.root }
    await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    return EXIT.ok
  }
  const before = found === 0 ? '' : `; ${found} were there already`
  await print(io.stdout, `copied: ${entries} entries, root ${report.head.root}${before}\n`)
  const { printMessage } = await import('../terminal/message.js')
  await printMessage(io, 'hint', `hold it against your keys: \`sudoagent verify ${printable(to)} --public-key …\``)
  return EXIT.ok
}

async function refuseSame(from: string, to: string): Promise<void> {
  const { isServer } = await import('../ledger/place.js')
  const { isSameFile } = await import('../terminal/same-file.js')
  if (isServer(from) || isServer(to) ? from !== to : !(await isSameFile(from, to))) return
  throw new CliError(EXIT.usage, 'a ledger cannot be copied into itself', 'name another place for the copy')
}

async function openSink(to: string): Promise<LedgerSink> {
  const { isServer } = await import('../ledger/place.js')
  if (isServer(to)) return (await import('@sudoagent/postgres')).openPostgresSink(to)
  const { openFileSink } = await import('@sudoagent/ledger/copy')
  const { existsSync } = await import('node:fs')
  const kind = /\.(?:jsonl|ndjson)$/i.test(to) ? 'jsonl' : /\.(?:sqlite3?|db)$/i.test(to) ? 'sqlite' : null
  if (kind === null && !existsSync(to)) {
    throw new CliError(
      EXIT.usage,
      `\`${to}\` does not say what kind of ledger it will be`,
      'let its name end in .sqlite or .jsonl',
    )
  }
  return openFileSink(to, kind ?? 'sqlite')
}
