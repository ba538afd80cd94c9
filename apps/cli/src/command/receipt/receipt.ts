// `sudoagent receipt …` prints and verifies receipts: the evidence about one decision or one control entry, for a
// reader without the ledger.
//
//   receipt        prints the receipt of a decision or a control entry, as JSON or as a C2SP tlog-proof
//   receipt verify verifies a receipt with the public key of the log
//   receipt page   writes an HTML page that verifies receipts offline
//
// A receipt contains the entries of the call, an inclusion proof for each entry (RFC 6962, section 2.1.1) and the
// signed checkpoint that the proofs lead to (https://c2sp.org/tlog-checkpoint). If a cosigned checkpoint covers the
// entries, it is used instead of the head. Format: docs/ledger-format.md; https://c2sp.org/tlog-proof.
//
//   $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4 --output receipt.json
//   $ sudoagent receipt verify receipt.json --public-key ledger.pub.pem
//   signed: the decision is recorded; its checkpoint is signed by the log
//
// The receipt of an unsigned ledger contains no proofs, and a note says so.
import type { ReceiptKey } from '@sudoagent/ledger'
import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { jsonOption, readHash } from '../../option.js'
import type { Io } from '../../terminal/io.js'
import * as pageCommand from './page.js'
import * as verifyCommand from './verify.js'

const FORMATS = ['json', 'tlog-proof'] as const

export interface ReceiptOptions {
  readonly ledger: string
  /** Position of an entry of a call, or of a control entry. */
  readonly position?: string
  readonly requestId?: string
  readonly decisionHash?: string
  /** False with `--no-entry`. */
  readonly entry?: boolean
  readonly format?: (typeof FORMATS)[number]
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const receipt = program
    .command('receipt')
    .summary('print or verify the receipt of one decision or control entry')
    .description(
      'Prints the receipt of one decision: the decision, the outcome, and the proofs that both are recorded, for a reader without the ledger. ' +
        'The position of a control entry, such as a stop, a resume or a question, gives the receipt of that entry. ' +
        'Exits with 1 if the ledger has no such decision or entry.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .argument('[position]', 'position of the entry, in place of --request-id or --decision-hash')
    .option('--request-id <id>', 'request id of the call')
    .addOption(new Option('--decision-hash <hash>', 'hash of the decision, 64 hex digits').conflicts('requestId'))
    .option('--no-entry', 'omit the entries; the receipt then proves only their hashes')
    .addOption(
      new Option(
        '--format <format>',
        'json: the whole receipt; tlog-proof: the proof of the decision or control entry alone (C2SP)',
      )
        .choices(FORMATS)
        .default('json'),
    )
    .addOption(jsonOption())
    .option('--output <file>', 'write to this file, which appears only once it is complete; `-` is standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4 --output receipt.json
  $ sudoagent receipt ledger.sqlite 20
  $ sudoagent receipt verify receipt.json --public-key ledger.pub.pem`,
    )
    .action(
      async (ledger: string, position: string | undefined, options: Omit<ReceiptOptions, 'ledger' | 'position'>) => {
        io.exitCode = await run({ ledger, ...(position === undefined ? {} : { position }), ...options }, io)
      },
    )
  verifyCommand.register(receipt, io)
  pageCommand.register(receipt, io)
}

export async function run(
  { ledger, output, entry = true, format = 'json', ...named }: ReceiptOptions,
  io: Io,
): Promise<ExitCode> {
  const key = readKey(named)
  const { makeReceipt } = await import('@sudoagent/ledger')
  const { findIn, withLedger } = await import('../../ledger/ledger-file.js')
  const { writeOutput } = await import('../../terminal/output.js')
  const { text, proof } = await withLedger(ledger, io, false, ({ reader }) =>
    findIn(reader, () => makeReceipt(reader, key, { withEntry: entry })),
  )
  if (format === 'tlog-proof' && proof === null) {
    throw new CliError(EXIT.no, 'a proof needs a signed checkpoint, and the ledger has none', UNSIGNED_HINT)
  }
  await writeOutput(output, format === 'json' ? text : (proof ?? ''), ledger, io)
  if (proof === null) {
    const { printMessage } = await import('../../terminal/message.js')
    await printMessage(io, 'note', 'the receipt has no proof: the ledger has no signed checkpoint')
  }
  return EXIT.ok
}

const UNSIGNED_HINT = 'open the ledger with a signer to sign it'

function readKey({
  position,
  requestId,
  decisionHash,
}: Pick<ReceiptOptions, 'position' | 'requestId' | 'decisionHash'>): ReceiptKey {
  if (position !== undefined) {
    if (requestId !== undefined || decisionHash !== undefined)
      throw new CliError(EXIT.usage, 'a position is given, and --request-id or --decision-hash', 'give one of them')
    if (!/^[1-9]\d{0,14}$/.test(position))
      throw new CliError(EXIT.usage, `\`${position}\` is not a position`, 'a request id is given with --request-id')
    return { position: Number(position) }
  }
  if (requestId !== undefined) return { requestId }
  if (decisionHash === undefined) {
    throw new CliError(EXIT.usage, 'neither a position, --request-id nor --decision-hash is given', 'give one of them')
  }
  return { decisionHash: readHash('--decision-hash', decisionHash) }
}
