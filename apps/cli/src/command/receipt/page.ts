import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import type { Io } from '../../terminal/io.js'

export interface ReceiptPageOptions {
  readonly output?: string
}

export function register(receipt: Command, io: Io): void {
  receipt
    .command('page')
    .summary('hand out a page that checks receipts in a browser')
    .description(
      'Writes one HTML file that checks receipts as `receipt verify` does, for people without a command line. It holds its script and style, and ' +
        'its content security policy forbids it to load or send anything. Open it from a disk, or put it on a web server.',
    )
    .option('--output <file>', 'write to a file, which appears only when it is whole; `-` is standard output')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent receipt page --output check-receipt.html`,
    )
    .action(async (options: ReceiptPageOptions) => {
      io.exitCode = await run(options, io)
    })
}

export async function run({ output }: ReceiptPageOptions, io: Io): Promise<ExitCode> {
  if (output === undefined && io.stdout.isTerminal)
    throw new CliError(EXIT.usage, 'the page is for a browser, not for a terminal', 'name a file with --output')
  const { RECEIPT_PAGE, readReceiptPage } = await import('./page-file.js')
  const { writeOutput } = await import('../../terminal/output.js')
  await writeOutput(output, await readReceiptPage(), RECEIPT_PAGE, io)
  return EXIT.ok
}
