import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface KeyRotateOptions {
  readonly ledger: string
  readonly privateKey: string
  readonly newPrivateKey: string
  readonly json?: boolean
}

export function register(key: Command, io: Io): void {
  key
    .command('rotate')
    .summary('add a signing key to a ledger')
    .description(
      'Appends an entry that adds a signing key. A current key of the ledger and the new key both sign the entry. Both keys can sign until the ' +
        'old key is retired, so that writers can switch one at a time.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--private-key <file>', 'a current signing key of the ledger')
    .requiredOption('--new-private-key <file>', 'key to add')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
The passphrase of an encrypted private key is read from SUDOAGENT_KEY_PASSPHRASE or asked for on the terminal.

Example:
  $ sudoagent key rotate ledger.sqlite --private-key old.key.pem --new-private-key new.key.pem`,
    )
    .action(async (ledger: string, options: Omit<KeyRotateOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run(
  { ledger, privateKey, newPrivateKey, json = false }: KeyRotateOptions,
  io: Io,
): Promise<ExitCode> {
  const { readSigner, withWriter } = await import('../../ledger/ledger-writer.js')
  const old = await readSigner(privateKey, io)
  const next = await readSigner(newPrivateKey, io)
  const { position } = await withWriter(ledger, old, (writer) => writer.addKey(next))
  if (json) {
    await print(io.stdout, `${JSON.stringify({ position, key_id: next.keyId, added_by: old.keyId }, null, 2)}\n`)
    return EXIT.ok
  }
  await print(
    io.stdout,
    `key ${next.keyId} was added by key ${old.keyId}; the new key can sign after entry ${position}\n`,
  )
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(
    io,
    'hint',
    `switch the writers to the new key, then run \`sudoagent key retire --key-id ${old.keyId}\``,
  )
  return EXIT.ok
}
