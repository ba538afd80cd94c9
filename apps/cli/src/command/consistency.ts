import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../io.js'
import { repeatable } from './option.js'

export interface ConsistencyOptions {
  readonly ledger: string
  readonly from: string
  readonly publicKey?: readonly string[]
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  program
    .command('consistency')
    .summary('show that a ledger begins with a checkpoint kept elsewhere')
    .description(
      'Proves that the checkpoint of a ledger comes from the one that you kept by appending alone, and checks the proof. Exits with 1 when it does ' +
        'not: the ledger was cut, an older copy was put back, or it was rewritten.',
    )
    .argument('<ledger>', 'SQLite or JSONL file')
    .requiredOption('--from <file>', 'the checkpoint that was kept; `-` is standard input')
    .option('--public-key <file>', 'PEM file; both checkpoints must be signed by such a key (repeatable)', repeatable)
    .option('--output <file>', 'write the proof there, in the form that witnesses take (C2SP tlog-witness)')
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
  const { ledger, from, publicKey = [], output } = options
  const crypto = await import('@sudoagent/crypto')
  const { provePrefix, readStatedCheckpoint } = await import('@sudoagent/ledger')
  const { readText } = await import('../io/input-file.js')
  const { readPublicKey } = await import('../io/public-key.js')
  const { withLedger } = await import('../io/ledger-file.js')
  const { storedCheckpoint } = await import('./checkpoint.js')
  const keys = await Promise.all(publicKey.map(readPublicKey))
  const keptText = await readText(from, 'checkpoint', crypto.NOTE_BYTES_MAX, io)
  const headText = await storedCheckpoint(ledger, io)
  const read = (text: string, name: string) => {
    try {
      const checkpoint = readStatedCheckpoint(text)
      const logs = keys.map((key) => crypto.createNoteVerifier(crypto.createNoteKey(checkpoint.origin, key)))
      if (logs.length > 0) crypto.openCheckpoint(text, logs)
      return checkpoint
    } catch (error) {
      if (!(error instanceof crypto.CryptoError)) throw error
      throw new CliError(EXIT.no, `${name}: ${error.message} (${error.code})`, error.hint, error)
    }
  }
  const [kept, head] = [read(keptText, `\`${from}\``), read(headText, 'the checkpoint of the ledger')]
  if (kept.origin !== head.origin) {
    const why = `\`${from}\` is of the log \`${kept.origin}\`, the ledger is \`${head.origin}\``
    throw new CliError(EXIT.no, why, 'take a checkpoint of this ledger')
  }
  if (kept.size > head.size) {
    const why = `the ledger has ${head.size} entries, and \`${from}\` is of ${kept.size} (TRUNCATED)`
    throw new CliError(EXIT.no, why, 'entries were cut off, or an older copy was put back')
  }
  const { root, hashes } = await withLedger(ledger, io, false, ({ reader }) => provePrefix(reader, kept.size, head))
  if (crypto.bytesToHex(root) !== crypto.bytesToHex(kept.root)) {
    const why = `the ledger does not begin with the ${kept.size} entries of \`${from}\` (INCONSISTENT)`
    throw new CliError(EXIT.no, why, 'it was rewritten: keep both, and find out by whom')
  }
  if (output !== undefined) {
    const { encodeAddCheckpoint } = await import('@sudoagent/witness')
    const { writeOutput } = await import('../io/output.js')
    await writeOutput(
      output,
      encodeAddCheckpoint({ oldSize: kept.size, proof: hashes, checkpoint: headText }),
      ledger,
      io,
    )
    if (output === '-') return EXIT.ok
  }
  const { printable } = await import('@sudoagent/ledger')
  const rows = [
    ['origin', head.origin],
    ['from', `${kept.size} entries, root ${crypto.encodeBase64(kept.root)}`],
    ['to', `${head.size} entries, root ${crypto.encodeBase64(head.root)}`],
    ['proof', `${hashes.length} hashes`],
  ] as const
  const signed =
    keys.length === 0 ? '; whose they are was not checked: give --public-key' : ', both signed by a key that you gave'
  const text = rows.map(([name, value]) => `${name.padEnd(6)}  ${printable(value)}\n`).join('')
  await print(io.stdout, `consistent: the ledger begins with the checkpoint that you kept${signed}\n\n${text}`)
  return EXIT.ok
}
