import type { Report } from '@sudoagent/ledger'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../io.js'
import { repeatable } from './option.js'

export interface VerifyOptions {
  readonly ledger: string
  /** Paths of PEM files. */
  readonly publicKey?: readonly string[]
  readonly json?: boolean
  readonly quiet?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('verify')
    .summary('check that a ledger is whole and unchanged')
    .description(
      'Checks every entry of a ledger: its form, its place in the chain, its hashes and signature, and that no call ran without ' +
        'being allowed. Exits with 0 only when there is nothing wrong, with 1 when the evidence does not verify.',
    )
    .argument('<ledger>', 'SQLite or JSONL file')
    .option(
      '--public-key <file>',
      'PEM file; every entry must be signed by this key (repeat it for more keys)',
      repeatable,
    )
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent verify ledger.sqlite
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem
  $ sudoagent verify ledger.jsonl --json | jq .findings`,
    )
    .action(async (ledger: string, options: Omit<VerifyOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

/** Verifies and reports: text on stdout with findings on stderr, or one JSON value on stdout. */
export async function run(
  { ledger, publicKey = [], json = false, quiet = false }: VerifyOptions,
  io: Io,
): Promise<ExitCode> {
  const { verify } = await import('@sudoagent/ledger')
  const { withLedger } = await import('../io/ledger-file.js')
  const publicKeys = await readPublicKeys(publicKey)
  const [report, kind] = await withLedger(
    ledger,
    io,
    quiet,
    async ({ reader }) => [await verify(reader, { publicKeys }), reader.kind] as const,
  )
  if (json) await print(io.stdout, `${JSON.stringify(report, null, 2)}\n`)
  else await tell(report, { ledger, kind, quiet }, io)
  return report.ok ? EXIT.ok : EXIT.no
}

async function readPublicKeys(paths: readonly string[]) {
  const { PUBLIC_KEYS_MAX } = await import('@sudoagent/ledger')
  if (paths.length > PUBLIC_KEYS_MAX) {
    const hint = 'give the keys that may have signed this ledger'
    throw new CliError(EXIT.usage, `more than ${PUBLIC_KEYS_MAX} public keys are given`, hint)
  }
  const { readPublicKey } = await import('../io/public-key.js')
  return Promise.all(paths.map(readPublicKey))
}

/** Findings and hints to stderr, the verdict and what it rests on to stdout. */
async function tell(report: Report, about: { ledger: string; kind: string; quiet: boolean }, io: Io): Promise<void> {
  const { hintsOf, renderFindings, renderReport } = await import('../render.js')
  const { painter } = await import('../paint.js')
  const { say } = await import('../message.js')
  for (const { kind, text } of renderFindings(report)) await say(io, kind, text)
  if (about.quiet) return
  await print(io.stdout, renderReport(report, about, painter(io.stdout.colour)))
  for (const hint of hintsOf(report)) await say(io, 'hint', hint)
}
