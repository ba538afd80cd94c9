// Reads a witness policy (https://c2sp.org/tlog-policy) from a file.
import { CryptoError } from '@sudoagent/crypto'
import { parseWitnessPolicy, type WitnessPolicy } from '@sudoagent/crypto/note'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { guessKind, readInput } from './input-file.js'

/** Maximum size of a policy that `parseWitnessPolicy` accepts. */
const POLICY_BYTES_MAX = 256 * 1024

/**
 * @throws CliError naming the file if the file cannot be read or is not a policy, or if the policy's quorum can never
 *   be reached
 */
export async function readPolicy(path: string, io: Io): Promise<WitnessPolicy> {
  const bytes = await readInput(path, 'witness policy', POLICY_BYTES_MAX, io)
  try {
    return parseWitnessPolicy(bytes)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const kind = guessKind(bytes)
    const hint = kind === undefined || kind.includes('policy') ? error.hint : kind
    throw new CliError(EXIT.failed, `\`${path}\`: ${error.message}`, hint ?? 'the format is C2SP tlog-policy', error)
  }
}

/** Reads an optional policy; undefined if no path is given. */
export async function readPolicyOption(path: string | undefined, io: Io): Promise<WitnessPolicy | undefined> {
  return path === undefined ? undefined : readPolicy(path, io)
}
