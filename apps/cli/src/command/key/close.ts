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
    .summary('end a ledger: no key may sign it any more')
    .description('Records that the ledger ends here. Nothing can be appended behind it, by anybody, ever.')
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--private-key <file>', 'a key that may sign the ledger')
    .option('--yes', 'say that this is meant: it cannot be undone')
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
      `\`${ledger}\` would end for good, and nothing could be recorded in it any more`,
      'say --yes',
    )
  }
  const { readSigner, withWriter } = await import('../../ledger/ledger-writer.js')
  const signer = await readSigner(privateKey, io)
  const { position } = await withWriter(ledger, signer, (writer) => writer.seal())
  await print(
    io.stdout,
    json ? `${JSON.stringify({ position }, null, 2)}\n` : `the ledger ended with entry ${position}\n`,
  )
  return EXIT.ok
}
