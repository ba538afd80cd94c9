import type { NoteKey, PublicKey } from '@sudoagent/crypto'
import type { LedgerReader, PrefixProof, UnverifiedCheckpoint } from '@sudoagent/ledger'
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
    .summary('show that a ledger begins with a checkpoint kept elsewhere')
    .description(
      'Proves that the checkpoint of a ledger comes from the one that you kept by appending alone, and checks the proof. Exits with 1 when it does ' +
        'not: the ledger was cut, an older copy was put back, or it was rewritten. Looks at checkpoints and hashes, not at entries.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .requiredOption('--from <file>', 'the checkpoint that was kept; `-` is standard input')
    .option(
      '--public-key <file>',
      'PEM file, or a file with a vkey; both checkpoints must be signed by such a key (repeatable)',
      repeatable,
    )
    .option('--output <file>', 'write the proof there, in the form that witnesses take (C2SP tlog-witness)')
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
  const crypto = await import('@sudoagent/crypto')
  const { readText } = await import('../input/input-file.js')
  const { readTrustedKeys } = await import('../key/trusted-key.js')
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { storedCheckpoint } = await import('../ledger/stored-checkpoint.js')
  const keys = await readTrustedKeys(publicKey)
  const keptText = await readText(from, 'checkpoint', crypto.NOTE_BYTES_MAX, io)
  const kept = await readCheckpoint(keptText, `\`${from}\``, keys)
  const headText = await storedCheckpoint(ledger, io)
  const head = await readCheckpoint(headText, 'the checkpoint of the ledger', keys)
  if (kept.origin !== head.origin) {
    const why = `\`${from}\` is of the log \`${kept.origin}\`, the ledger is \`${head.origin}\``
    throw new CliError(EXIT.no, why, 'take a checkpoint of this ledger')
  }
  if (kept.size > head.size) {
    const why = `the ledger has ${head.size} entries, and \`${from}\` is of ${kept.size} (TRUNCATED)`
    throw new CliError(EXIT.no, why, 'entries were cut off, or an older copy was put back')
  }
  const { root, hashes } = await withLedger(ledger, io, false, ({ reader }) => prove(reader, kept.size, head))
  if (crypto.bytesToHex(root) !== crypto.bytesToHex(kept.root)) {
    const why = `the ledger did not begin with \`${from}\` when it had ${kept.size} entries (INCONSISTENT)`
    throw new CliError(EXIT.no, why, 'it was rewritten: keep both, and find out by whom')
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
      from: { size: kept.size, root: crypto.encodeBase64(kept.root) },
      to: { size: head.size, root: crypto.encodeBase64(head.root) },
      proof: hashes.map((hash) => crypto.encodeBase64(hash)),
      signatures_checked: keys.length > 0,
    }
    await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    return EXIT.ok
  }
  const { fieldRow } = await import('../text/rows.js')
  const rows = [
    ['origin', head.origin],
    ['from', `${kept.size} entries, root ${crypto.encodeBase64(kept.root)}`],
    ['to', `${head.size} entries, root ${crypto.encodeBase64(head.root)}`],
    ['proof', `${hashes.length} hashes`],
  ] as const
  const signed =
    keys.length === 0 ? '; whose they are was not checked: give --public-key' : ', both signed by a key that you gave'
  const rest = 'The entries were not looked at: `sudoagent verify --checkpoint` does that.'
  const text = rows.map(([name, value]) => fieldRow(name, 6, value, { columns: io.stdout.columns })).join('')
  await print(
    io.stdout,
    `consistent: the checkpoint of the ledger extends the one that you kept${signed}\n\n${text}\n${rest}\n`,
  )
  return EXIT.ok
}

/** The proof from the ledger's own tree. @throws CliError when not even that leads to the ledger's own head */
async function prove(reader: LedgerReader, size: number, head: UnverifiedCheckpoint): Promise<PrefixProof> {
  const { LedgerError, provePrefix } = await import('@sudoagent/ledger')
  try {
    return await provePrefix(reader, size, head)
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'LEDGER_DAMAGED') throw error
    throw new CliError(EXIT.no, error.message, error.hint, error)
  }
}

/** Reads a checkpoint, and who signed it when somebody's word is to be taken. @throws CliError */
async function readCheckpoint(
  text: string,
  name: string,
  keys: readonly (PublicKey | NoteKey)[],
): Promise<UnverifiedCheckpoint> {
  const crypto = await import('@sudoagent/crypto')
  const { readUnverifiedCheckpoint } = await import('@sudoagent/ledger')
  const { guessKind } = await import('../input/input-file.js')
  try {
    const checkpoint = readUnverifiedCheckpoint(text)
    if (keys.length === 0) return checkpoint
    const noteKeys = keys.map((key) => ('keyHash' in key ? key : crypto.createNoteKey(checkpoint.origin, key)))
    crypto.openCheckpoint(
      text,
      noteKeys.map((key) => crypto.createNoteVerifier(key)),
    )
    return checkpoint
  } catch (error) {
    if (!(error instanceof crypto.CryptoError)) throw error
    const kind = guessKind(Buffer.from(text))
    const hint = kind === undefined || kind.includes('checkpoint') ? error.hint : kind
    throw new CliError(EXIT.no, `${name}: ${error.message} (${error.code})`, hint, error)
  }
}
