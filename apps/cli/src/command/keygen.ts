import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../terminal/io.js'

export interface KeygenOptions {
  readonly privateKey: string
  readonly publicKey: string
  readonly encrypt?: boolean
  readonly overwrite?: boolean
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('keygen')
    .summary('create a key pair for signing a ledger')
    .description(
      'Creates an Ed25519 key pair. The process that writes the ledger signs with the private key (mode 0600, never printed); verifiers need ' +
        'the public key. With --encrypt, a passphrase protects the private key. The passphrase is read from SUDOAGENT_KEY_PASSPHRASE or typed ' +
        'twice. Existing files are replaced only with --overwrite; missing folders are created (mode 0700).',
    )
    .requiredOption('--private-key <file>', 'file for the private key (PEM, PKCS#8)')
    .requiredOption('--public-key <file>', 'file for the public key (PEM, SPKI)')
    .option('--encrypt', 'encrypt the private key with a passphrase')
    .option('--overwrite', 'replace existing key files')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent keygen --private-key ledger.key.pem --public-key ledger.pub.pem
  $ sudoagent keygen --private-key ledger.key.pem --public-key ledger.pub.pem --encrypt
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem`,
    )
    .action(async (options: KeygenOptions) => {
      io.exitCode = await run(options, io)
    })
}

export async function run(
  { privateKey, publicKey, encrypt = false, overwrite = false, json = false }: KeygenOptions,
  io: Io,
): Promise<ExitCode> {
  requireFileName('--private-key', privateKey)
  requireFileName('--public-key', publicKey)
  const { isSameFile } = await import('../terminal/same-file.js')
  if (await isSameFile(privateKey, publicKey)) {
    throw new CliError(EXIT.usage, '--private-key and --public-key name the same file', 'use two different files')
  }
  const { encryptPrivateKey, generatePrivateKey } = await import('@sudoagent/crypto')
  const { requireNewFiles, writeKeyPair } = await import('../key/key-pair.js')
  const { newPassphrase } = await import('../key/passphrase.js')
  const paths = { privateKey, publicKey, overwrite }
  requireNewFiles(paths)
  const passphrase = encrypt ? await newPassphrase(io) : null
  const key = generatePrivateKey()
  const privatePem = passphrase === null ? key.pem : encryptPrivateKey(key, passphrase)
  writeKeyPair({ privateKey: privatePem, publicKey: key.publicKey.pem }, paths)
  if (json) {
    const value = {
      key_id: key.publicKey.keyId,
      private_key: privateKey,
      public_key: publicKey,
      encrypted: passphrase !== null,
    }
    await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    return EXIT.ok
  }
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  await print(
    io.stdout,
    `key id       ${key.publicKey.keyId}\nprivate key  ${escapeForTerminal(privateKey)}\npublic key   ${escapeForTerminal(publicKey)}\n`,
  )
  return EXIT.ok
}

function requireFileName(option: string, name: string): void {
  if (name !== '' && name !== '-') return
  throw new CliError(
    EXIT.usage,
    `${option} \`${name}\` is not a file name`,
    'keys are written to files, never to standard output',
  )
}
