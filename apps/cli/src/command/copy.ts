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
      'Copies a ledger byte for byte, with its tree and head, between SQLite, JSONL and PostgreSQL. Checks each entry while copying, and verifies ' +
        'the complete copy. Continues an interrupted copy; a destination that is not a prefix of the ledger is left untouched.',
    )
    .argument('<from>', 'the ledger: a file, or postgres://host/database?ledger=name')
    .argument('<to>', 'the copy: a file ending in .sqlite or .jsonl, or a URL')
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

/** Copies the ledger, verifies the copy, and prints its size and root. */
export async function run({ from, to, json = false }: CopyOptions, io: Io): Promise<ExitCode> {
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { copyLedger } = await import('@sudoagent/ledger/copy')
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const { verify } = await import('@sudoagent/ledger')
  await requireDifferentLedgers(from, to)
  const { entries, found } = await withLedger(from, io, false, async ({ reader }) => {
    const sink = await openSink(to)
    try {
      return await copyLedger(reader, sink)
    } finally {
      await sink.close()
    }
  })
  // If the ledger grew during the copy, the copy is a complete earlier state of the ledger.
  const report = await withLedger(to, io, false, ({ reader }) => verify(reader))
  const [finding] = report.findings
  if (!report.ok) {
    const why = finding === undefined ? 'it is empty' : `${finding.message} (${finding.code})`
    throw new CliError(EXIT.no, `the copy does not verify: ${why}`, `run \`sudoagent verify\` on \`${from}\``)
  }
  if (json) {
    const value = { entries, already_there: found, root: report.head.root }
    await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    return EXIT.ok
  }
  const before = found === 0 ? '' : `; ${found} were already in the copy`
  await print(io.stdout, `copied: ${entries} entries, root ${report.head.root}${before}\n`)
  const { printMessage } = await import('../terminal/message.js')
  await printMessage(io, 'hint', `verify the signatures: \`sudoagent verify ${escapeForTerminal(to)} --public-key …\``)
  return EXIT.ok
}

async function requireDifferentLedgers(from: string, to: string): Promise<void> {
  const { isServer } = await import('../ledger/place.js')
  const { isSameFile } = await import('../terminal/same-file.js')
  if (isServer(from) || isServer(to) ? from !== to : !(await isSameFile(from, to))) return
  throw new CliError(EXIT.usage, 'a ledger cannot be copied into itself', 'choose another destination')
}

async function openSink(to: string): Promise<LedgerSink> {
  const { isServer } = await import('../ledger/place.js')
  if (isServer(to)) return (await import('@sudoagent/postgres')).openPostgresSink(to)
  const { openFileSink } = await import('@sudoagent/ledger/copy')
  const { existsSync } = await import('node:fs')
  const kind = /\.(?:jsonl|ndjson)$/i.test(to) ? 'jsonl' : /\.(?:sqlite3?|db)$/i.test(to) ? 'sqlite' : null
  if (kind === null && !existsSync(to)) {
    throw new CliError(EXIT.usage, `the extension of \`${to}\` does not name a ledger format`, 'use .sqlite or .jsonl')
  }
  return openFileSink(to, kind ?? 'sqlite')
}
