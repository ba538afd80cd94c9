import type { PublicKey } from '@sudoagent/crypto'
import type { NoteKey, NoteKeyType } from '@sudoagent/crypto/note'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import type { KeyFile } from '../../key/key-file.js'
import { type Io, print } from '../../terminal/io.js'

export interface KeyShowOptions {
  readonly file: string
  readonly origin?: string
  readonly witness?: string
  readonly json?: boolean
}

/** The content of a key file; `vkey` is set if the file names the key. */
interface Found {
  readonly publicKey: PublicKey
  readonly vkey: NoteKey | null
}

export function register(key: Command, io: Io): void {
  key
    .command('show')
    .summary('print key id, fingerprint and public key of a key file')
    .description(
      'Prints the public part of a key file, which may contain a public or a private key. The fingerprint is the SHA-256 of the public key (DER ' +
        'SPKI) in base64 without padding; its first 8 bytes in hex are the key id. A vkey is a named key on one line (C2SP signed-note): a log ' +
        'signs checkpoints under its origin, and a witness cosigns checkpoints under its own name.',
    )
    .argument('<file>', 'PEM file with a public or private key, or a file with a vkey')
    .option('--origin <name>', 'also print the vkey of a log with this origin')
    .option('--witness <name>', 'also print the vkey of a witness with this name')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
The passphrase of an encrypted private key is read from SUDOAGENT_KEY_PASSPHRASE or asked for on the terminal.

Examples:
  $ sudoagent key show ledger.pub.pem
  $ sudoagent key show ledger.key.pem --origin example.com/ledger
  $ sudoagent key show witness.pub.pem --witness witness.example.com --json`,
    )
    .action(async (file: string, options: Omit<KeyShowOptions, 'file'>) => {
      io.exitCode = await run({ file, ...options }, io)
    })
}

export async function run({ file, origin, witness, json = false }: KeyShowOptions, io: Io): Promise<ExitCode> {
  const { CryptoError } = await import('@sudoagent/crypto')
  const { createNoteKey } = await import('@sudoagent/crypto/note')
  const { readKeyFile } = await import('../../key/key-file.js')
  const found = await open(await readKeyFile(file, 'key'), io)
  const named = (option: string, name: string | undefined, type: NoteKeyType): readonly NoteKey[] => {
    if (name === undefined) return []
    try {
      return [createNoteKey(name, found.publicKey, type)]
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      throw new CliError(EXIT.usage, `${option} \`${name}\`: ${error.message}`, error.hint)
    }
  }
  const vkeys = [
    ...(found.vkey === null ? [] : [found.vkey]),
    ...named('--origin', origin, 'ed25519'),
    ...named('--witness', witness, 'cosignature'),
  ]
  await print(io.stdout, await (json ? renderJson : renderText)(found.publicKey, vkeys))
  return EXIT.ok
}

/** Matches the start of a vkey or of a private vkey. For a private vkey, the parser reports a specific error. */
const VKEY = /^[^+\n]+\+[0-9a-f]{8}\+|^PRIVATE\+KEY\+/

async function open(file: KeyFile, io: Io): Promise<Found> {
  const { parsePublicKey } = await import('@sudoagent/crypto')
  const { parseVkey } = await import('@sudoagent/crypto/note')
  const { parseKeyFile, pemOf } = await import('../../key/key-file.js')
  const pem = pemOf(file)
  if (VKEY.test(pem.trimStart())) {
    // A vkey is decoded as UTF-8, because a key name may contain any script.
    const vkey = parseKeyFile(file, () => parseVkey(file.bytes.toString('utf8').trim()))
    return { publicKey: vkey.publicKey, vkey }
  }
  if (/^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(pem.trimStart())) {
    const { openPrivateKey } = await import('../../key/private-key.js')
    return { publicKey: (await openPrivateKey(file, io)).publicKey, vkey: null }
  }
  return { publicKey: parseKeyFile(file, () => parsePublicKey(pem)), vkey: null }
}

async function renderText(key: PublicKey, vkeys: readonly NoteKey[]): Promise<string> {
  const { encodeVkey } = await import('@sudoagent/crypto/note')
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const rows = [
    ['key id', key.keyId],
    ['fingerprint', await fingerprintOf(key)],
    ...vkeys.map(
      (vkey) => [vkey.type === 'ed25519' ? 'log vkey' : 'witness vkey', escapeForTerminal(encodeVkey(vkey))] as const,
    ),
  ] as const
  const width = Math.max(...rows.map(([name]) => name.length))
  return `${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')}\n${key.pem}`
}

async function renderJson(key: PublicKey, vkeys: readonly NoteKey[]): Promise<string> {
  const { encodeVkey } = await import('@sudoagent/crypto/note')
  const shown = {
    key_id: key.keyId,
    fingerprint: await fingerprintOf(key),
    public_key_pem: key.pem,
    vkeys: vkeys.map((vkey) => ({
      type: vkey.type,
      name: vkey.name,
      key_hash: vkey.keyHash,
      vkey: encodeVkey(vkey),
    })),
  }
  return `${JSON.stringify(shown, null, 2)}\n`
}

/** Same format as OpenSSH fingerprints. The values differ, because OpenSSH hashes a different encoding of the key. */
async function fingerprintOf(key: PublicKey): Promise<string> {
  const { createHash, createPublicKey } = await import('node:crypto')
  const spki = createPublicKey(key.pem).export({ format: 'der', type: 'spki' })
  return `SHA256:${createHash('sha256').update(spki).digest('base64').replace(/=+$/, '')}`
}
