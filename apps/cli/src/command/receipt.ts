import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import type { Io } from '../io.js'

export interface ReceiptOptions {
  readonly ledger: string
  readonly requestId?: string
  readonly decisionHash?: string
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  program
    .command('receipt')
    .summary('hand out the receipt of one decision')
    .description(
      'Prints, as JSON, what names one decision and where it stands in the ledger. Exits with 1 when the ledger holds no such decision.',
    )
    .argument('<ledger>', 'SQLite or JSONL file')
    .option('--request-id <id>', 'the call')
    .addOption(new Option('--decision-hash <hash>', 'the decision, 64 hex digits').conflicts('requestId'))
    .option('--output <file>', 'write to a file, which appears only when it is whole; `-` is standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4
  $ sudoagent receipt ledger.sqlite --request-id 083a0f8c-664e-4692-9c0d-fb611024f7a4 --output receipt.json`,
    )
    .action(async (ledger: string, options: Omit<ReceiptOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run({ ledger, output, ...named }: ReceiptOptions, io: Io): Promise<ExitCode> {
  const key = readKey(named)
  const { makeReceipt } = await import('@sudoagent/ledger')
  const { findIn, withLedger } = await import('../io/ledger-file.js')
  const { openOutput } = await import('../io/output.js')
  const receipt = await withLedger(ledger, io, false, ({ reader }) => findIn(reader, () => makeReceipt(reader, key)))
  const file = await openOutput(output, ledger, io)
  try {
    await file.write(`${JSON.stringify(receipt, null, 2)}\n`)
    await file.finish()
  } finally {
    await file.discard()
  }
  return EXIT.ok
}

function readKey({ requestId, decisionHash }: Pick<ReceiptOptions, 'requestId' | 'decisionHash'>) {
  if (requestId !== undefined) return { requestId }
  if (decisionHash === undefined) {
    throw new CliError(EXIT.usage, 'neither --request-id nor --decision-hash is given', 'give the one that you know')
  }
  // The ledger writes hashes in lower case; another program may have shown it in upper case.
  const hash = decisionHash.toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hash)) return { decisionHash: hash }
  throw new CliError(
    EXIT.usage,
    `--decision-hash \`${decisionHash}\` is no hash`,
    'a hash has 64 hex digits; it must be given whole',
  )
}
