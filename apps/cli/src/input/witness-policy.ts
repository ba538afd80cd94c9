// A witness policy (C2SP tlog-policy) in a file that somebody named.
import { CryptoError, parseWitnessPolicy, type WitnessPolicy } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { guessKind, readInput } from './input-file.js'

/** As long as a policy may be. */
const POLICY_BYTES_MAX = 256 * 1024

/** @throws CliError naming the file: it cannot be read, or is no policy that anybody could fulfil */
export async function readPolicy(path: string, io: Io): Promise<WitnessPolicy> {
  const bytes = await readInput(path, 'witness policy', POLICY_BYTES_MAX, io)
  try {
    return parseWitnessPolicy(bytes)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const kind = guessKind(bytes)
    const hint = kind === undefined || kind.includes('policy') ? error.hint : kind
    throw new CliError(EXIT.failed, `\`${path}\`: ${error.message}`, hint ?? 'it is a text of C2SP tlog-policy', error)
  }
}

/** `readPolicy`, where a policy may be left out. */
export async function readPolicyOption(path: string | undefined, io: Io): Promise<WitnessPolicy | undefined> {
  return path === undefined ? undefined : readPolicy(path, io)
}
