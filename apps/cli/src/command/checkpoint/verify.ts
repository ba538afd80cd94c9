import type { PublicKey } from '@sudoagent/crypto'
import type { ExpectedLog, NoteKey, NoteVerifier, VerifiedCheckpoint } from '@sudoagent/crypto/note'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { repeatable } from '../../option.js'
import { type Io, print } from '../../terminal/io.js'

export interface CheckpointVerifyOptions {
  readonly file: string
  readonly publicKey?: readonly string[]
  readonly witnessPolicy?: string
  readonly origin?: string
  readonly json?: boolean
}

export function register(checkpoint: Command, io: Io): void {
  checkpoint
    .command('verify')
    .summary('check the signatures of a checkpoint')
    .description(
      'Checks that a checkpoint is signed by the log that it names and, with a policy, cosigned by enough witnesses. To compare a ledger with ' +
        'a checkpoint, use `sudoagent verify --checkpoint`.',
    )
    .argument('<file>', 'signed checkpoint; `-` is standard input')
    .option('--public-key <file>', 'required: trusted key, a PEM file or a file with a vkey (repeatable)', repeatable)
    .option('--witness-policy <file>', 'C2SP tlog-policy; a quorum of its witnesses must have cosigned the checkpoint')
    .option('--origin <name>', 'expected origin; checkpoints of other logs are rejected')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent checkpoint verify ledger.checkpoint --public-key ledger.pub.pem
  $ sudoagent checkpoint verify ledger.checkpoint --public-key ledger.pub.pem --witness-policy witnesses.txt`,
    )
    .action(async (file: string, options: Omit<CheckpointVerifyOptions, 'file'>) => {
      io.exitCode = await run({ file, ...options }, io)
    })
}

interface Checked {
  readonly ok: boolean
  readonly origin: string
  readonly size: number
  /** Base64. */
  readonly root: string
  readonly signed_by: readonly string[]
  readonly cosigned_by: readonly { readonly name: string; readonly at: string }[]
  /** Null if there is no policy, or if the policy has no quorum. */
  readonly quorum: boolean | null
}

export async function run(options: CheckpointVerifyOptions, io: Io): Promise<ExitCode> {
  const { file, publicKey = [], witnessPolicy, origin = null, json = false } = options
  if (publicKey.length === 0) {
    throw new CliError(EXIT.usage, '--public-key is missing', 'a signature proves nothing without a trusted key')
  }
  const { CryptoError } = await import('@sudoagent/crypto')
  const { NOTE_BYTES_MAX } = await import('@sudoagent/crypto/note')
  const { guessKind, readInput } = await import('../../input/input-file.js')
  const { readPolicyOption } = await import('../../input/witness-policy.js')
  const { readTrustedKeys } = await import('../../key/trusted-key.js')
  const keys = await readTrustedKeys(publicKey)
  const policy = await readPolicyOption(witnessPolicy, io)
  const bytes = await readInput(file, 'checkpoint', NOTE_BYTES_MAX, io)
  let checked: Checked
  try {
    checked = await check(bytes, keys, { policy: policy ?? null, origin })
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const kind = guessKind(bytes)
    const hint = kind === undefined || kind.includes('checkpoint') ? error.hint : kind
    throw new CliError(EXIT.no, `\`${file}\`: ${error.message} (${error.code})`, hint, error)
  }
  await print(io.stdout, json ? `${JSON.stringify(checked, null, 2)}\n` : await render(checked, io.stdout.columns))
  if (checked.ok) return EXIT.ok
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(io, 'error', 'too few witnesses have cosigned the checkpoint (WITNESS_QUORUM_MISSING)')
  return EXIT.no
}

/** Verifies the signatures. @throws CryptoError if the checkpoint is invalid or not signed by any of the given keys */
async function check(
  bytes: Uint8Array,
  keys: readonly (PublicKey | NoteKey)[],
  expected: ExpectedLog,
): Promise<Checked> {
  const {
    cosignatureTime,
    cosignerNames,
    createNoteKey,
    createNoteVerifier,
    openCheckpoint,
    parseCheckpoint,
    parseNote,
    policyVerifiers,
    quorumReached,
    requireLog,
    requireOtherWitnesses,
  } = await import('@sudoagent/crypto/note')
  const { encodeBase64 } = await import('@sudoagent/crypto/bytes')
  const { policy } = expected
  const { origin } = parseCheckpoint(parseNote(bytes).text)
  const logs = new Map<NoteVerifier, string>()
  if (policy !== null)
    requireOtherWitnesses(
      policy,
      keys.map((key) => ('keyHash' in key ? key.publicKey : key)),
    )
  for (const key of [...keys, ...(policy?.logs.map((log) => log.key) ?? [])]) {
    const noteKey = 'keyHash' in key ? key : createNoteKey(origin, key)
    logs.set(createNoteVerifier(noteKey), noteKey.publicKey.keyId)
  }
  const witnesses = policy === null ? [] : policyVerifiers(policy)
  const verifiers = witnesses.map(({ verifier }) => verifier)
  const checkpoint: VerifiedCheckpoint = openCheckpoint(bytes, [...logs.keys()], verifiers)
  const signedBy = checkpoint.signatures.flatMap(({ verifier }) => logs.get(verifier) ?? [])
  requireLog(origin, signedBy, expected)
  const names = cosignerNames(witnesses, checkpoint.cosignatures)
  const quorum = policy === null || policy.quorum === null ? null : quorumReached(policy, names)
  return {
    ok: quorum !== false,
    origin,
    size: checkpoint.size,
    root: encodeBase64(checkpoint.root),
    signed_by: signedBy,
    cosigned_by: checkpoint.cosignatures.map((signature) => ({
      name: signature.name,
      at: new Date((cosignatureTime(signature) ?? 0) * 1000).toISOString(),
    })),
    quorum,
  }
}

async function render(
  { origin, size, root, signed_by: signers, cosigned_by: witnesses }: Checked,
  columns: number | undefined,
): Promise<string> {
  const { fieldRow } = await import('../../text/rows.js')
  const rows = [
    ['origin', origin],
    ['entries', String(size)],
    ['root', root],
    ['signed by', `key ${signers.join(', ')}`],
    ...witnesses.map(({ name, at }) => ['witness', `${name} at ${at}`] as const),
  ] as const
  return rows.map(([name, value]) => fieldRow(name, 9, value, { columns })).join('')
}
