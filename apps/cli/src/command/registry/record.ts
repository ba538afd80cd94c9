import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface RegistryRecordOptions {
  readonly database: string
  readonly registry: string
  readonly privateKey?: string
}

export function register(registry: Command, io: Io): void {
  registry
    .command('record')
    .summary('record the heads of all ledgers in a database')
    .description(
      'Records the head of every ledger in a PostgreSQL database. The registry that stores the heads is itself a ledger, and is created if it ' +
        'does not exist. Run the command on a schedule, and store the registry where the database operator cannot write.',
    )
    .argument('<database>', 'postgres://user@host/database')
    .requiredOption(
      '--registry <ledger>',
      'the registry: a file whose name ends in .sqlite or .jsonl, or the URL of a ledger',
    )
    .option('--private-key <file>', 'private key that signs the registry (PEM)')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent registry record postgres://agent@db.example.com/evidence --registry heads.sqlite --private-key registry.key.pem`,
    )
    .action(async (database: string, options: Omit<RegistryRecordOptions, 'database'>) => {
      io.exitCode = await run({ database, ...options }, io)
    })
}

export async function run({ database, registry, privateKey }: RegistryRecordOptions, io: Io): Promise<ExitCode> {
  const { requireServer } = await import('../../ledger/place.js')
  requireServer(database)
  const { readHeads, recordHeads } = await import('../../ledger/registry.js')
  const { openOrMakeWriter, readSigner } = await import('../../ledger/ledger-writer.js')
  const signer = privateKey === undefined ? undefined : await readSigner(privateKey, io)
  const heads = await readHeads(database, registry)
  if (heads.length === 0)
    throw new CliError(EXIT.no, 'no ledger in the database has a head', 'a ledger gets its head with the first entry')
  const writer = await openOrMakeWriter(registry, signer)
  try {
    await recordHeads(heads, writer)
  } finally {
    await writer.close()
  }
  await print(io.stdout, `recorded: the heads of ${heads.length} ledgers\n`)
  return EXIT.ok
}
