import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { jsonOption, readHash } from '../../option.js'
import type { Io } from '../../terminal/io.js'
import * as pageCommand from './page.js'
import * as verifyCommand from './verify.js'

const FORMATS = ['json', 'tlog-proof'] as const

export interface ReceiptOptions {
  readonly ledger: string
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
    .summary('hand out the receipt of one decision, and check one')
    .description(
      'Prints the receipt of one decision: what was decided, how the call ended, and the proofs that both are on record, for somebody who has no ' +
        'ledger. Exits with 1 when the ledger holds no such decision.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--request-id <id>', 'the call')
    .addOption(new Option('--decision-hash <hash>', 'the decision, 64 hex digits').conflicts('requestId'))
    .option('--no-entry', 'leave out what the entries say; their hashes are proven')
    .addOption(
      new Option('--format <format>', 'json: the whole receipt; tlog-proof: the proof of the decision alone (C2SP)')
        .choices(FORMATS)
        .default('json'),
    )
    .addOption(jsonOption())
    .option('--output <file>', 'write to a file, which appears only when it is whole; `-` is standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4 --output receipt.json
  $ sudoagent receipt verify receipt.json --public-key ledger.pub.pem`,
    )
    .action(async (ledger: string, options: Omit<ReceiptOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
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
    throw new CliError(EXIT.no, 'the ledger has no signed checkpoint that a proof could lead to', UNSIGNED_HINT)
  }
  await writeOutput(output, format === 'json' ? text : (proof ?? ''), ledger, io)
  if (proof === null) {
    const { printMessage } = await import('../../terminal/message.js')
    await printMessage(io, 'note', 'the receipt has no proof: the ledger has no signed checkpoint')
  }
  return EXIT.ok
}

const UNSIGNED_HINT = 'receipts stand alone when the ledger is signed: open it with a signer'

function readKey({ requestId, decisionHash }: Pick<ReceiptOptions, 'requestId' | 'decisionHash'>) {
  if (requestId !== undefined) return { requestId }
  if (decisionHash === undefined) {
    throw new CliError(EXIT.usage, 'neither --request-id nor --decision-hash is given', 'give the one that you know')
  }
  return { decisionHash: readHash('--decision-hash', decisionHash) }
}
