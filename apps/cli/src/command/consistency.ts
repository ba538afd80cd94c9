import type { PublicKey } from '@sudoagent/crypto'
import type { NoteKey } from '@sudoagent/crypto/note'
import type { LedgerReader } from '@sudoagent/ledger'
import type { PrefixProof, UnverifiedCheckpoint } from '@sudoagent/ledger/proof'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { repeatable } from '../option.js'
import { type Io, print } from '../terminal/io.js'

export interface ConsistencyOptions {
  readonly ledger: string
  readonly from: string
  readonly publicKey?: readonly string[]
  readonly output?: string
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('consistency')
    .summary('prove that a ledger extends an earlier checkpoint')
    .description(
      'Proves that a ledger grew from an earlier checkpoint only by appending, and verifies the proof. Exits with 1 if the ledger was ' +
        'truncated, rolled back to an older copy, or rewritten. Reads checkpoints and tree hashes, not entries.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--from <file>', 'the earlier checkpoint; `-` is standard input')
    .option(
      '--public-key <file>',
      'trusted key, a PEM file or a file with a vkey; a trusted key must sign both checkpoints (repeatable)',
      repeatable,
    )
    .option('--output <file>', 'write the proof to this file, as an add-checkpoint request (C2SP tlog-witness)')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent consistency ledger.sqlite --from last-week.checkpoint --public-key ledger.pub.pem`,
    )
    .action(async (ledger: string, options: Omit<ConsistencyOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run(options: ConsistencyOptions, io: Io): Promise<ExitCode> {
  const { ledger, from, publicKey = [], output, json = false } = options
  const { NOTE_BYTES_MAX } = await import('@sudoagent/crypto/note')
  const { bytesToHex, encodeBase64 } = await import('@sudoagent/crypto/bytes')
  const { readText } = await import('../input/input-file.js')
  const { readTrustedKeys } = await import('../key/trusted-key.js')
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { storedCheckpoint } = await import('../ledger/stored-checkpoint.js')
  const keys = await readTrustedKeys(publicKey)
  const keptText = await readText(from, 'checkpoint', NOTE_BYTES_MAX, io)
  const kept = await readCheckpoint(keptText, `\`${from}\``, keys)
  const headText = await storedCheckpoint(ledger, io)
  const head = await readCheckpoint(headText, 'the checkpoint of the ledger', keys)
  if (kept.origin !== head.origin) {
    const why = `\`${from}\` is a checkpoint of \`${kept.origin}\`, but the origin of the ledger is \`${head.origin}\``
    throw new CliError(EXIT.no, why, 'give a checkpoint of this ledger')
  }
  if (kept.size > head.size) {
    const why = `the ledger has ${head.size} entries, but \`${from}\` has ${kept.size} (TRUNCATED)`
    throw new CliError(EXIT.no, why, 'entries were removed, or an older copy was restored')
  }
  const { root, hashes } = await withLedger(ledger, io, false, ({ reader }) => prove(reader, kept.size, head))
  if (bytesToHex(root) !== bytesToHex(kept.root)) {
    const why = `the first ${kept.size} entries of the ledger differ from \`${from}\` (INCONSISTENT)`
    throw new CliError(EXIT.no, why, 'the ledger was rewritten: keep both files as evidence')
  }
  if (output !== undefined) {
    const { encodeAddCheckpoint } = await import('@sudoagent/witness')
    const { writeOutput } = await import('../terminal/output.js')
    await writeOutput(
      output,
      encodeAddCheckpoint({ oldSize: kept.size, proof: hashes, checkpoint: headText }),
      ledger,
      io,
    )
    if (output === '-') return EXIT.ok
  }
  if (json) {
    const value = {
      origin: head.origin,
      from: { size: kept.size, root: encodeBase64(kept.root) },
      to: { size: head.size, root: encodeBase64(head.root) },
      proof: hashes.map((hash) => encodeBase64(hash)),
      signatures_checked: keys.length > 0,
    }
    await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    return EXIT.ok
  }
  const { fieldRow } = await import('../text/rows.js')
  const rows = [
    ['origin', head.origin],
    ['from', `${kept.size} entries, root ${encodeBase64(kept.root)}`],
    ['to', `${head.size} entries, root ${encodeBase64(head.root)}`],
    ['proof', `${hashes.length} hashes`],
  ] as const
  const signed =
    keys.length === 0 ? '; signatures not checked: give --public-key' : '; both checkpoints are signed by a given key'
  const rest = 'The entries were not checked; `sudoagent verify --checkpoint` checks them.'
  const text = rows.map(([name, value]) => fieldRow(name, 6, value, { columns: io.stdout.columns })).join('')
  await print(io.stdout, `consistent: the ledger extends the given checkpoint${signed}\n\n${text}\n${rest}\n`)
  return EXIT.ok
}

/** Creates the proof from the ledger's tree. @throws CliError if the tree does not match the head */
async function prove(reader: LedgerReader, size: number, head: UnverifiedCheckpoint): Promise<PrefixProof> {
  const { LedgerError } = await import('@sudoagent/ledger')
  const { provePrefix } = await import('@sudoagent/ledger/proof')
  try {
    return await provePrefix(reader, size, head)
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'LEDGER_DAMAGED') throw error
    throw new CliError(EXIT.no, error.message, error.hint, error)
  }
}

/** Reads a checkpoint and, with keys, verifies its signature. @throws CliError */
async function readCheckpoint(
  text: string,
  name: string,
  keys: readonly (PublicKey | NoteKey)[],
): Promise<UnverifiedCheckpoint> {
  const { CryptoError } = await import('@sudoagent/crypto')
  const { createNoteKey, createNoteVerifier, openCheckpoint } = await import('@sudoagent/crypto/note')
  const { readUnverifiedCheckpoint } = await import('@sudoagent/ledger/proof')
  const { guessKind } = await import('../input/input-file.js')
  try {
    const checkpoint = readUnverifiedCheckpoint(text)
    if (keys.length === 0) return checkpoint
    const noteKeys = keys.map((key) => ('keyHash' in key ? key : createNoteKey(checkpoint.origin, key)))
    openCheckpoint(
      text,
      noteKeys.map((key) => createNoteVerifier(key)),
    )
    return checkpoint
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const kind = guessKind(Buffer.from(text))
    const hint = kind === undefined || kind.includes('checkpoint') ? error.hint : kind
    throw new CliError(EXIT.no, `${name}: ${error.message} (${error.code})`, hint, error)
  }
}
