import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface KeyCloseOptions {
  readonly ledger: string
  readonly privateKey: string
  readonly yes?: boolean
  readonly json?: boolean
}

export function register(key: Command, io: Io): void {
  key
    .command('close')
    .summary('close a ledger permanently')
    .description('Appends an entry that closes the ledger. No further entry can be appended. This cannot be undone.')
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--private-key <file>', 'a signing key of the ledger')
    .option('--yes', 'confirm that the ledger is closed permanently')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent key close ledger.sqlite --private-key ledger.key.pem --yes`,
    )
    .action(async (ledger: string, options: Omit<KeyCloseOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run(
  { ledger, privateKey, yes = false, json = false }: KeyCloseOptions,
  io: Io,
): Promise<ExitCode> {
  if (!yes) {
    throw new CliError(
      EXIT.usage,
      `closing \`${ledger}\` is permanent: no entry can be appended afterwards`,
      'confirm with --yes',
    )
  }
  const { readSigner, withWriter } = await import('../../ledger/ledger-writer.js')
  const signer = await readSigner(privateKey, io)
  const { position } = await withWriter(ledger, signer, (writer) => writer.seal())
  await print(
    io.stdout,
    json ? `${JSON.stringify({ position }, null, 2)}\n` : `closed: entry ${position} is the last entry of the ledger\n`,
  )
  return EXIT.ok
}
