import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import type { Io } from '../../terminal/io.js'

export interface ReceiptPageOptions {
  readonly output?: string
}

export function register(receipt: Command, io: Io): void {
  receipt
    .command('page')
    .summary('write a page that verifies receipts in a browser')
    .description(
      'Writes one HTML file that verifies receipts like `receipt verify`, for people without a command line. The page contains its script and ' +
        'style, and its content security policy forbids loading and sending data. Open the page from disk, or serve it from a web server.',
    )
    .option('--output <file>', 'write to this file, which appears only once it is complete; `-` is standard output')
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
