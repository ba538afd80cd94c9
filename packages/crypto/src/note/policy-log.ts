/** Checks of a checkpoint's log against a witness policy or an expected origin. */
import { bytesEqual } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import type { PublicKey } from '../key/key.js'
import type { WitnessPolicy } from './witness-policy.js'

/**
 * The names of the witnesses whose public key is one of `keys`. A log cannot witness itself, so such a policy is
 * invalid.
 */
export function witnessesWithKeys(policy: WitnessPolicy, keys: readonly PublicKey[]): readonly string[] {
  return [...policy.witnesses]
    .filter(([, { key }]) => keys.some(({ bytes }) => bytesEqual(bytes, key.publicKey.bytes)))
    .map(([name]) => name)
}

/**
 * Refuses a policy in which a key of the log is a witness.
 *
 * @throws CryptoError `POLICY_INVALID`
 */
export function requireOtherWitnesses(policy: WitnessPolicy, logKeys: readonly PublicKey[]): void {
  if (witnessesWithKeys(policy, logKeys).length === 0) return
  const message = 'a witness of the policy has the public key of the log'
  throw new CryptoError('POLICY_INVALID', message, 'a log cannot witness itself')
}

/**
 * The keys that a policy lists for the log with this origin.
 *
 * @returns null when the policy lists no logs and therefore accepts any log
 * @throws CryptoError `ORIGIN_MISMATCH` when it lists only other logs
 */
export function policyLogKeys(policy: WitnessPolicy, origin: string): readonly PublicKey[] | null {
  if (policy.logs.length === 0) return null
  const keys = policy.logs.filter(({ key }) => key.name === origin).map(({ key }) => key.publicKey)
  if (keys.length > 0) return keys
  throw new CryptoError('ORIGIN_MISMATCH', 'the witness policy does not list this log', ORIGIN_HINT)
}

const ORIGIN_HINT = 'compare the origin with the names in the `log` lines of the policy'

/** The log that the caller expects; null for any. */
export interface ExpectedLog {
  readonly origin: string | null
  readonly policy: WitnessPolicy | null
}

/**
 * Requires that a checkpoint belongs to the expected log and is signed by the log's key in the policy.
 *
 * @param origin - of the checkpoint
 * @param signedBy - ids of the keys that signed it, verified
 * @throws CryptoError `ORIGIN_MISMATCH`, `LOG_KEY_MISMATCH`
 */
export function requireLog(
  origin: string,
  signedBy: readonly string[],
  { policy, origin: expected }: ExpectedLog,
): void {
  if (expected !== null && origin !== expected) {
    throw new CryptoError('ORIGIN_MISMATCH', 'the checkpoint is of another log than the expected one')
  }
  const keys = policy === null ? null : policyLogKeys(policy, origin)
  if (keys === null || keys.some(({ keyId }) => signedBy.includes(keyId))) return
  const message = 'the key that the witness policy names for this log has not signed the checkpoint'
  throw new CryptoError('LOG_KEY_MISMATCH', message)
}
