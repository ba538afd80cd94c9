import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface KeyRetireOptions {
  readonly ledger: string
  readonly keyId: string
  readonly privateKey: string
  readonly json?: boolean
}

export function register(key: Command, io: Io): void {
  key
    .command('retire')
    .summary('retire a signing key of a ledger')
    .description(
      'Appends an entry that retires a key. Its earlier signatures stay valid; a later signature is a finding. The last key cannot be retired.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--key-id <id>', 'key to retire, 16 hex digits (`sudoagent inspect` lists the keys)')
    .requiredOption('--private-key <file>', 'a signing key of the ledger')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent key retire ledger.sqlite --key-id 0011223344556677 --private-key new.key.pem`,
    )
    .action(async (ledger: string, options: Omit<KeyRetireOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run({ ledger, keyId, privateKey, json = false }: KeyRetireOptions, io: Io): Promise<ExitCode> {
  const id = keyId.toLowerCase()
  if (!/^[0-9a-f]{16}$/.test(id)) {
    throw new CliError(EXIT.usage, `--key-id \`${keyId}\` is not a key id`, 'a key id has 16 hex digits')
  }
  const { readSigner, withWriter } = await import('../../ledger/ledger-writer.js')
  const signer = await readSigner(privateKey, io)
  const { position } = await withWriter(ledger, signer, (writer) => writer.retireKey(id))
  const value = { position, key_id: id }
  await print(
    io.stdout,
    json
      ? `${JSON.stringify(value, null, 2)}\n`
      : `key ${id} was retired: its signatures after entry ${position} are invalid\n`,
  )
  return EXIT.ok
}
