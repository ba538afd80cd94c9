// What `verify` is asked to hold a ledger against: options and files → the checks of the package below.
import { NOTE_BYTES_MAX, RECEIPT_BYTES_MAX } from '@sudoagent/crypto'
import { type VerifyOptions as Checks, PUBLIC_KEYS_MAX, parseState, type VerifiedState } from '@sudoagent/ledger'
import { CliError, EXIT } from './exit.js'
import { readText } from './io/input-file.js'
import { readPolicyOption } from './io/policy-file.js'
import { readPublicKey } from './io/public-key.js'
import { readStateFile } from './io/state-file.js'
import type { Io } from './io.js'

export interface VerifyOptions {
  readonly ledger: string
  /** Paths of PEM files. */
  readonly publicKey?: readonly string[]
  /** Paths of checkpoints and receipts that were kept elsewhere. */
  readonly checkpoint?: readonly string[]
  readonly receipt?: readonly string[]
  readonly witnessPolicy?: string
  readonly require?: NonNullable<Checks['require']>
  readonly maxTail?: string
  readonly requireOutcomes?: boolean
  readonly state?: string
  readonly all?: boolean
  readonly registry?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Reads all that the caller holds the ledger against, before the ledger is opened. */
export async function readChecks(options: VerifyOptions, io: Io): Promise<Checks> {
  const { checkpoint = [], receipt = [], publicKey = [], maxTail, witnessPolicy, require, requireOutcomes } = options
  const resume = options.state === undefined ? null : await readState(options.state, io)
  const policy = await readPolicyOption(witnessPolicy, io)
  return {
    publicKeys: await readPublicKeys(publicKey),
    checkpoints: await readTexts(checkpoint, 'checkpoint', NOTE_BYTES_MAX, io),
    receipts: await readTexts(receipt, 'receipt', RECEIPT_BYTES_MAX, io),
    ...(policy === undefined ? {} : { witnessPolicy: policy }),
    ...(require === undefined ? {} : { require }),
    ...(maxTail === undefined ? {} : { maxTail: readCount(maxTail) }),
    ...(requireOutcomes === undefined ? {} : { requireOutcomes }),
    ...(resume === null ? {} : { resume }),
  }
}

/** Evidence kept elsewhere, file after file. What is wrong with a text is for the report to say. */
async function readTexts(paths: readonly string[], what: string, bytesMax: number, io: Io): Promise<readonly string[]> {
  const texts: string[] = []
  for (const path of paths) texts.push(await readText(path, what, bytesMax, io))
  return texts
}

async function readState(path: string, io: Io): Promise<VerifiedState | null> {
  const text = await readStateFile(path, io)
  return text === null ? null : parseState(text)
}

function readCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,15}$/.test(text)) return count
  throw new CliError(EXIT.usage, `--max-tail \`${text}\` is no whole number`, 'say how many entries: 0, 100')
}

async function readPublicKeys(paths: readonly string[]) {
  if (paths.length > PUBLIC_KEYS_MAX) {
    const hint = 'give the keys that may have signed this ledger'
    throw new CliError(EXIT.usage, `more than ${PUBLIC_KEYS_MAX} public keys are given`, hint)
  }
  return Promise.all(paths.map(readPublicKey))
}
