// Converts the options of `verify`, and the files that they name, to the options of the ledger package.
import { NOTE_BYTES_MAX } from '@sudoagent/crypto/note'
import { RECEIPT_BYTES_MAX } from '@sudoagent/crypto/receipt'
import type { VerifyOptions as Checks } from '@sudoagent/ledger'
import { parseState, type VerifiedState } from '@sudoagent/ledger/state'
import { CliError, EXIT } from '../../exit.js'
import { readText } from '../../input/input-file.js'
import { readStateFile } from '../../input/state-file.js'
import { readPolicyOption } from '../../input/witness-policy.js'
import { readTrustedKeys } from '../../key/trusted-key.js'
import type { Io } from '../../terminal/io.js'

export interface VerifyOptions {
  readonly ledger: string
  /** Paths of PEM files or files with a vkey. */
  readonly publicKey?: readonly string[]
  /** Paths of checkpoints and receipts. */
  readonly checkpoint?: readonly string[]
  readonly receipt?: readonly string[]
  readonly witnessPolicy?: string
  readonly require?: NonNullable<Checks['require']>
  readonly origin?: string
  readonly maxTail?: string
  /** Seconds. */
  readonly maxAge?: string
  readonly requireOutcomes?: boolean
  readonly state?: string
  readonly all?: boolean
  readonly registry?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Reads all evidence before the ledger is opened. */
export async function readChecks(options: VerifyOptions, io: Io): Promise<Checks> {
  const { checkpoint = [], receipt = [], publicKey = [], witnessPolicy, require, requireOutcomes } = options
  const { maxTail, maxAge, origin } = options
  const resume = options.state === undefined ? null : await readState(options.state, io)
  const policy = await readPolicyOption(witnessPolicy, io)
  return {
    publicKeys: await readTrustedKeys(publicKey),
    checkpoints: await readTexts(checkpoint, 'checkpoint', NOTE_BYTES_MAX, io),
    receipts: await readTexts(receipt, 'receipt', RECEIPT_BYTES_MAX, io),
    ...(policy === undefined ? {} : { witnessPolicy: policy }),
    ...(require === undefined ? {} : { require }),
    ...(maxTail === undefined
      ? {}
      : { maxTail: readCount('--max-tail', maxTail, 'give a number of entries, for example 0 or 100') }),
    ...(maxAge === undefined
      ? {}
      : { maxAgeSeconds: readCount('--max-age', maxAge, 'give a number of seconds, for example 3600 or 86400') }),
    ...(origin === undefined ? {} : { origin }),
    ...(requireOutcomes === undefined ? {} : { requireOutcomes }),
    ...(resume === null ? {} : { resume }),
  }
}

/**
 * Reads evidence files. This function does not check the content; the verifier reports errors in the content as
 * findings.
 */
async function readTexts(paths: readonly string[], what: string, maxBytes: number, io: Io): Promise<readonly string[]> {
  const texts: string[] = []
  for (const path of paths) texts.push(await readText(path, what, maxBytes, io))
  return texts
}

async function readState(path: string, io: Io): Promise<VerifiedState | null> {
  const text = await readStateFile(path, io)
  return text === null ? null : parseState(text)
}

function readCount(option: string, text: string, hint: string): number {
  const count = Number(text)
  if (/^\d{1,15}$/.test(text)) return count
  throw new CliError(EXIT.usage, `${option} \`${text}\` is not a whole number`, hint)
}
