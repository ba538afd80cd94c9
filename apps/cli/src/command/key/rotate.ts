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
    .summary('let a new key sign a ledger')
    .description(
      'Records, signed by a key of the ledger, that another key may sign from now on; the new key signs for itself. Both may sign until the old one ' +
        'is retired, so that writers can be moved over one after another.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--private-key <file>', 'a key that may sign the ledger now')
    .requiredOption('--new-private-key <file>', 'the key to be added')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
The passphrase of an encrypted private key is asked for, or taken from SUDOAGENT_KEY_PASSPHRASE.

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
  await print(io.stdout, `key ${next.keyId} may sign behind entry ${position}, added by key ${old.keyId}\n`)
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(
    io,
    'hint',
    `move the writers over to the new key, then \`sudoagent key retire --key-id ${old.keyId}\``,
  )
  return EXIT.ok
}
