// `sudoagent checkpoint …` prints, verifies and cosigns ledger checkpoints. A checkpoint is a C2SP signed note with
// the ledger's origin, number of entries and Merkle root (RFC 6962).
//
//   <origin>                             sudoagent.dev/ledger/083a0f8c-664e-4692-9c0d-fb611024f7a4
//   <number of entries>                  19
//   <root, base64>                       CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//                                        (empty line)
//   — <name> <key hash + signature>      — sudoagent.dev/ledger/083a… 1dB2Qw…
//
// Formats: https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note, and for witnesses
// https://c2sp.org/tlog-witness and https://c2sp.org/tlog-cosignature. A checkpoint stored elsewhere later reveals
// truncation, rollback and rewriting:
//
//   $ sudoagent checkpoint ledger.sqlite --output ledger.checkpoint
//   $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem --checkpoint ledger.checkpoint
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
    .summary('print, verify or cosign a ledger checkpoint')
    .description(
      'Prints the signed checkpoint of a ledger (C2SP tlog-checkpoint): origin, number of entries and Merkle root. A checkpoint stored ' +
        'elsewhere later reveals whether the ledger was truncated, rolled back or rewritten. Exits with 1 if the ledger has no checkpoint.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--private-key <file>', 'verify the ledger, then create and sign its checkpoint; for a copy without a head')
    .option('--output <file>', 'write to this file, which appears only once it is complete; `-` is standard output')
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
  const note = privateKey === undefined ? await storedCheckpoint(ledger, io) : await signCurrent(ledger, privateKey, io)
  // The output may be `<copy>.head`, the head file of an NDJSON copy, because that file does not belong to this ledger.
  await writeOutput(output, note, ledger, io)
  return EXIT.ok
}

/** Creates and signs the checkpoint of a ledger in which only the head is missing. */
async function signCurrent(ledger: string, privateKey: string, io: Io): Promise<string> {
  const { withLedger } = await import('../../ledger/ledger-file.js')
  const { readPrivateKey } = await import('../../key/private-key.js')
  const { verify } = await import('@sudoagent/ledger')
  const { createNoteSigner, signCheckpoint } = await import('@sudoagent/crypto/note')
  const { createSigner } = await import('@sudoagent/crypto')
  const { decodeBase64 } = await import('@sudoagent/crypto/bytes')
  const signer = createSigner(await readPrivateKey(privateKey, io))
  const report = await withLedger(ledger, io, false, ({ reader }) => verify(reader))
  requireSound(report, ledger)
  const { active } = report.keys
  if (active.length > 0 && !active.includes(signer.keyId)) {
    throw new CliError(
      EXIT.no,
      `key \`${signer.keyId}\` is not a signing key of this ledger`,
      `its signing keys: ${active.slice(0, 5).join(', ')}`,
    )
  }
  const { origin, head } = report
  const root = head.root === null ? null : decodeBase64(head.root)
  if (origin === null || root === null) throw new CliError(EXIT.no, `\`${ledger}\` cannot be read`, VERIFY_HINT)
  return signCheckpoint({ origin, size: head.size, root, extensions: [] }, [createNoteSigner(origin, signer)])
}

function requireSound({ findings, findings_total: total }: Report, ledger: string): void {
  const other = findings.find(({ code }) => code !== 'CHECKPOINT_MISSING')
  if (other === undefined && total <= 1) return
  throw new CliError(
    EXIT.no,
    `\`${ledger}\` does not verify${other === undefined ? '' : `: ${other.message} (${other.code})`}`,
    'only a valid ledger can be signed; run `sudoagent verify` for details',
  )
}
