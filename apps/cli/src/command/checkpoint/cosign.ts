import type { NoteKey } from '@sudoagent/crypto/note'
import type { StoredText } from '@sudoagent/ledger/store'
import type { WitnessError } from '@sudoagent/witness'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { repeatable } from '../../option.js'
import type { Io } from '../../terminal/io.js'

export interface CosignOptions {
  readonly ledger: string
  readonly witness?: readonly string[]
  readonly url?: readonly string[]
  readonly witnessPolicy?: string
  readonly timeoutMs?: string
  readonly output?: string
}

export function register(checkpoint: Command, io: Io): void {
  checkpoint
    .command('cosign')
    .summary('have witnesses cosign a ledger checkpoint')
    .description(
      'Sends the ledger checkpoint to witnesses (C2SP tlog-witness), with a proof that the ledger only grew since each witness last saw it. ' +
        'Stores the cosigned checkpoint with the ledger, for receipts. Exits with 1 if a witness refuses, with 3 if a witness cannot be reached; ' +
        'the cosignatures of the other witnesses are stored anyway.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--witness <vkey>', 'vkey of a witness (repeatable, each with its --url)', repeatable)
    .option('--url <url>', 'URL of the preceding --witness', repeatable)
    .option('--witness-policy <file>', 'C2SP tlog-policy; its witnesses with URLs are also asked')
    .option('--timeout-ms <n>', 'time limit for each answer, in milliseconds', '10000')
    .option('--output <file>', 'write to this file, which appears only once it is complete; `-` is standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent checkpoint cosign ledger.sqlite --witness "$(cat witness.vkey)" --url https://witness.example.com
  $ sudoagent checkpoint cosign ledger.sqlite --witness-policy witnesses.txt --output ledger.checkpoint`,
    )
    .action(async (ledger: string, options: Omit<CosignOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

interface WitnessTarget {
  readonly key: NoteKey
  readonly url: string
}

export async function run(options: CosignOptions, io: Io): Promise<ExitCode> {
  const { ledger, output } = options
  const timeoutMs = readTimeout(options.timeoutMs ?? '10000')
  const witnesses = await readWitnesses(options, io)
  const { cosign } = await import('@sudoagent/witness')
  const { proveConsistency } = await import('@sudoagent/ledger/proof')
  const { withLedger } = await import('../../ledger/ledger-file.js')
  const { writeOutput } = await import('../../terminal/output.js')
  const { storedCheckpoint } = await import('../../ledger/stored-checkpoint.js')
  const head = await storedCheckpoint(ledger, io)
  const failures: ExitCode[] = []
  let note = head
  let cosigned = false
  try {
    await withLedger(ledger, io, true, async ({ reader }) => {
      const prove = (from: number, to: number) => proveConsistency(reader, from, to)
      const kept = await startFrom(head, (await reader.evidence()).cosigned)
      note = kept.note
      for (const { key, url } of witnesses) {
        const asks = { url, witness: key, checkpoint: note, proveConsistency: prove, oldSize: kept.oldSize, timeoutMs }
        try {
          note = (await cosign(asks)).note
          cosigned = true
        } catch (error) {
          if (!isWitnessError(error)) throw error
          failures.push(await tell(error, key.name, io))
        }
      }
    })
  } finally {
    // Stores the cosignatures even if the ledger proves to be damaged after the first witness signed.
    if (cosigned) await keep(ledger, note, io)
  }
  if (cosigned) await writeOutput(output, note, ledger, io)
  // A refusal may mean a fork and takes precedence over an unreachable witness.
  return failures.find((exit) => exit === EXIT.no) ?? failures[0] ?? EXIT.ok
}

/**
 * Returns the note to send: the head with the cosignatures already stored for this checkpoint, so that a later
 * witness adds its cosignature to them. `oldSize` is the size that the witnesses probably recorded; a wrong size
 * costs one more request.
 */
async function startFrom(head: string, kept: StoredText): Promise<{ note: string; oldSize: number }> {
  const { CryptoError } = await import('@sudoagent/crypto')
  const { encodeNote, parseCheckpoint, parseNote } = await import('@sudoagent/crypto/note')
  if (kept === null || kept === 'unreadable') return { note: head, oldSize: 0 }
  const { text, signatures } = parseNote(head)
  try {
    const before = parseNote(kept.text)
    const { size: oldSize } = parseCheckpoint(before.text)
    if (oldSize > parseCheckpoint(text).size) return { note: head, oldSize: 0 }
    if (before.text !== text) return { note: head, oldSize }
    const isOfHead = (name: string, keyHash: string): boolean =>
      signatures.some((signature) => signature.name === name && signature.keyHash === keyHash)
    const others = before.signatures.filter(({ name, keyHash }) => !isOfHead(name, keyHash))
    return { note: encodeNote({ text, signatures: [...signatures, ...others] }), oldSize }
  } catch (error) {
    // An invalid stored note is replaced.
    if (error instanceof CryptoError) return { note: head, oldSize: 0 }
    throw error
  }
}

async function keep(ledger: string, note: string, io: Io): Promise<void> {
  const { isServer } = await import('../../ledger/place.js')
  const isKept = isServer(ledger)
    ? await (await import('@sudoagent/postgres')).keepPostgresCosigned(ledger, note)
    : (await import('@sudoagent/ledger/cosigned')).keepCosigned(ledger, note)
  if (isKept) return
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(io, 'note', `\`${ledger}\` already has a later cosigned checkpoint; the new one was not stored`)
}

const isWitnessError = (error: unknown): error is WitnessError =>
  error instanceof Error && error.name === 'WitnessError'

/** Prints a witness error. @returns 3 if the witness could not be reached, 1 if it refused */
async function tell(error: WitnessError, name: string, io: Io): Promise<ExitCode> {
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(io, 'error', `witness \`${name}\`: ${error.message} (${error.code})`)
  if (error.hint !== undefined) await printMessage(io, 'hint', error.hint)
  return ['WITNESS_UNREACHABLE', 'WITNESS_URL_INVALID'].includes(error.code) ? EXIT.failed : EXIT.no
}

async function readWitnesses(
  { witness = [], url = [], witnessPolicy }: CosignOptions,
  io: Io,
): Promise<readonly WitnessTarget[]> {
  if (witness.length !== url.length) {
    throw new CliError(EXIT.usage, 'each --witness needs one --url', 'give them in pairs: --witness <vkey> --url <url>')
  }
  const { parseVkeyOption } = await import('../../key/trusted-key.js')
  const { readPolicyOption } = await import('../../input/witness-policy.js')
  const policy = await readPolicyOption(witnessPolicy, io)
  const named = witness.map((vkey, n) => ({ key: parseVkeyOption('--witness', vkey), url: url[n] ?? '' }))
  const wrong = named.find(({ key }) => key.type !== 'cosignature')
  if (wrong !== undefined) {
    throw new CliError(EXIT.usage, `--witness \`${wrong.key.name}\` is the key of a log`, 'give the vkey of a witness')
  }
  const listed = [...(policy?.witnesses.values() ?? [])].flatMap(({ key, url: at }) =>
    at === null ? [] : [{ key, url: at }],
  )
  const all = [...named, ...listed]
  if (all.length === 0) {
    const hint = 'give --witness and --url, or a policy whose witnesses have URLs'
    throw new CliError(EXIT.usage, 'no witness given', hint)
  }
  return all
}

function readTimeout(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new CliError(EXIT.usage, `--timeout-ms \`${text}\` is not a number of milliseconds`, 'for example 10000')
}
