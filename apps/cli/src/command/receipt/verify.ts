import type { ProvenEntry, ReceiptReport, ReceiptTrust } from '@sudoagent/crypto/receipt'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { readHash, repeatable } from '../../option.js'
import { type Io, print } from '../../terminal/io.js'

export interface ReceiptVerifyOptions {
  readonly file: string
  readonly publicKey?: readonly string[]
  readonly witnessPolicy?: string
  readonly entryHash?: string
  readonly origin?: string
  readonly json?: boolean
}

export function register(receipt: Command, io: Io): void {
  receipt
    .command('verify')
    .summary('verify a receipt without the ledger')
    .description(
      'Verifies a receipt with only the public key of the log: the checkpoint signature, the proofs, the hashes, and the consistency of all ' +
        'parts. Prints what is proven and what is not. Exits with 0 if the receipt is valid, with 1 if it is not.',
    )
    .argument('<file>', 'receipt, or a tlog-proof; `-` is standard input')
    .option('--public-key <file>', 'required: trusted key, a PEM file or a file with a vkey (repeatable)', repeatable)
    .option('--witness-policy <file>', 'C2SP tlog-policy; a quorum of its witnesses must have cosigned the checkpoint')
    .option('--origin <name>', 'expected origin; receipts of other logs are rejected')
    .option('--entry-hash <hash>', 'hash of the entry that a tlog-proof must prove, 64 hex digits')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent receipt verify receipt.json --public-key ledger.pub.pem
  $ sudoagent receipt verify receipt.json --public-key ledger.pub.pem --witness-policy witnesses.txt`,
    )
    .action(async (file: string, options: Omit<ReceiptVerifyOptions, 'file'>) => {
      io.exitCode = await run({ file, ...options }, io)
    })
}

const TLOG_PROOF = 'c2sp.org/tlog-proof@'

export async function run(options: ReceiptVerifyOptions, io: Io): Promise<ExitCode> {
  const { file, publicKey = [], witnessPolicy, entryHash, origin, json = false } = options
  if (publicKey.length === 0) {
    throw new CliError(EXIT.usage, '--public-key is missing', 'a signature proves nothing without a trusted key')
  }
  const { RECEIPT_BYTES_MAX, verifyReceipt } = await import('@sudoagent/crypto/receipt')
  const { readInput } = await import('../../input/input-file.js')
  const { readPolicyOption } = await import('../../input/witness-policy.js')
  const { readTrustedKeys } = await import('../../key/trusted-key.js')
  const trust = {
    publicKeys: await readTrustedKeys(publicKey),
    witnessPolicy: await readPolicyOption(witnessPolicy, io),
    origin,
  }
  const bytes = await readInput(file, 'receipt', RECEIPT_BYTES_MAX, io)
  if (Buffer.from(bytes.subarray(0, TLOG_PROOF.length)).toString('latin1') === TLOG_PROOF) {
    return verifyProof(bytes, { file, entryHash, trust, json }, io)
  }
  if (entryHash !== undefined) {
    throw new CliError(EXIT.usage, '--entry-hash is for a tlog-proof', 'a receipt contains the hash of its entry')
  }
  const report = verifyReceipt(bytes, trust)
  if (json) await print(io.stdout, `${JSON.stringify(report, null, 2)}\n`)
  else await tell(report, bytes, io)
  return report.ok ? EXIT.ok : EXIT.no
}

/** Prints the findings on stderr, and what is proven and not proven on stdout. */
async function tell(report: ReceiptReport, bytes: Uint8Array, io: Io): Promise<void> {
  const { guessKind } = await import('../../input/input-file.js')
  const { painter } = await import('../../text/paint.js')
  const { renderReceipt } = await import('./receipt-text.js')
  const { printMessage } = await import('../../terminal/message.js')
  for (const { code, message, hint } of report.findings) {
    await printMessage(io, 'error', `${message} (${code})`)
    const guess = code === 'RECEIPT_INVALID' ? guessKind(bytes) : undefined
    const advice = guess === undefined || guess.includes('receipt') ? hint : guess
    if (advice !== undefined) await printMessage(io, 'hint', advice)
  }
  await print(io.stdout, renderReceipt(report, await painter(io.stdout.colour), io.stdout.columns))
}

/** Verifies a tlog-proof, which proves that an entry with a given hash is recorded, but not its content. */
async function verifyProof(
  bytes: Uint8Array,
  about: { file: string; entryHash: string | undefined; trust: ReceiptTrust; json: boolean },
  io: Io,
): Promise<ExitCode> {
  if (about.entryHash === undefined) {
    throw new CliError(
      EXIT.usage,
      `\`${about.file}\` is a tlog-proof, and --entry-hash is missing`,
      'a proof does not name its entry: give the entry_hash that it must prove',
    )
  }
  const entryHash = readHash('--entry-hash', about.entryHash)
  const { CryptoError, isHash } = await import('@sudoagent/crypto')
  const { encodeBase64 } = await import('@sudoagent/crypto/bytes')
  const { verifyProofOf } = await import('@sudoagent/crypto/receipt')
  let proven: ProvenEntry
  try {
    if (!isHash(entryHash)) throw new TypeError('not a hash')
    proven = verifyProofOf(entryHash, bytes, about.trust)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.no, `\`${about.file}\`: ${error.message} (${error.code})`, error.hint, error)
  }
  const { position, checkpoint, signedBy, cosignedBy, witnessed } = proven
  const value = {
    ok: witnessed !== false,
    entry_hash: entryHash,
    position,
    checkpoint: {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: encodeBase64(checkpoint.root),
      signed_by: signedBy,
      cosigned_by: cosignedBy,
    },
  }
  if (about.json) await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
  else {
    const { escapeForTerminal } = await import('@sudoagent/crypto/text')
    const line = `entry ${position} of the log \`${checkpoint.origin}\` has this hash; key ${signedBy.join(', ')} signed the checkpoint of ${checkpoint.size} entries`
    const { rowsOf } = await import('../../text/rows.js')
    await print(io.stdout, `${rowsOf('', escapeForTerminal(line), io.stdout.columns, 2).join('\n')}\n`)
  }
  if (value.ok) return EXIT.ok
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(io, 'error', 'too few witnesses have cosigned the checkpoint (WITNESS_QUORUM_MISSING)')
  return EXIT.no
}
