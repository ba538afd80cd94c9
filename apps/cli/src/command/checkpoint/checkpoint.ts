import type { Report } from '@sudoagent/ledger'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { storedCheckpoint, VERIFY_HINT } from '../../ledger/stored-checkpoint.js'
import type { Io } from '../../terminal/io.js'
import * as cosignCommand from './cosign.js'
import * as verifyCommand from './verify.js'

const COMMANDS = [verifyCommand, cosignCommand]

export interface CheckpointOptions {
  readonly ledger: string
  readonly privateKey?: string
  readonly output?: string
}

export function register(program: Command, io: Io): void {
  const checkpoint = program
    .command('checkpoint')
    .summary('hand out the checkpoint of a ledger, and check one')
    .description(
      'Prints the signed checkpoint of a ledger: its origin, how many entries it has, and the root of its tree, as C2SP tlog-checkpoint. Kept ' +
        'elsewhere, it shows later whether the ledger was cut, put back or rewritten. Exits with 1 when the ledger has none.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option(
      '--private-key <file>',
      'make the checkpoint anew and sign it, for a copy that has lost its head; the whole ledger is verified first',
    )
    .option('--output <file>', 'write to a file, which appears only when it is whole; `-` is standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent checkpoint ledger.sqlite --output ledger.checkpoint
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem --checkpoint ledger.checkpoint`,
    )
    .action(async (ledger: string, options: Omit<CheckpointOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
  for (const { register: add } of COMMANDS) add(checkpoint, io)
}

export async function run({ ledger, privateKey, output }: CheckpointOptions, io: Io): Promise<ExitCode> {
  const { writeOutput } = await import('../../terminal/output.js')
  const note = privateKey === undefined ? await storedCheckpoint(ledger, io) : await signAnew(ledger, privateKey, io)
  // A head beside a copy in text is what this may be for: `<copy>.head` is nobody's ledger.
  await writeOutput(output, note, ledger, io)
  return EXIT.ok
}

/** Signs what the entries themselves say, when nothing but the head is missing. */
async function signAnew(ledger: string, privateKey: string, io: Io): Promise<string> {
  const { withLedger } = await import('../../ledger/ledger-file.js')
  const { readPrivateKey } = await import('../../key/private-key.js')
  const { verify } = await import('@sudoagent/ledger')
  const { createNoteSigner, createSigner, decodeBase64, signCheckpoint } = await import('@sudoagent/crypto')
  const signer = createSigner(await readPrivateKey(privateKey, io))
  const report = await withLedger(ledger, io, false, ({ reader }) => verify(reader))
  refuseUnsound(report, ledger)
  const { active } = report.keys
  if (active.length > 0 && !active.includes(signer.keyId)) {
    throw new CliError(
      EXIT.no,
      `key \`${signer.keyId}\` may not sign this ledger`,
      `these may: ${active.slice(0, 5).join(', ')}`,
    )
  }
  const { origin, head } = report
  const root = head.root === null ? null : decodeBase64(head.root)
  if (origin === null || root === null) throw new CliError(EXIT.no, `\`${ledger}\` cannot be read`, VERIFY_HINT)
  return signCheckpoint({ origin, size: head.size, root, extensions: [] }, [createNoteSigner(origin, signer)])
}

function refuseUnsound({ findings, findings_total: total }: Report, ledger: string): void {
  const other = findings.find(({ code }) => code !== 'CHECKPOINT_MISSING')
  if (other === undefined && total <= 1) return
  throw new CliError(
    EXIT.no,
    `\`${ledger}\` does not verify${other === undefined ? '' : `: ${other.message} (${other.code})`}`,
    'nothing is signed that does not hold; `sudoagent verify` says more',
  )
}
