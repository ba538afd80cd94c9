/** Checks the log of a checkpoint against a witness policy and an expected origin. */
import { bytesEqual } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import type { PublicKey } from '../key/key.js'
import type { WitnessPolicy } from './witness-policy.js'

/**
 * Returns the names of the witnesses whose public key is in `keys`. If `keys` are log keys, any match makes the
 * policy invalid, because a log cannot witness itself.
 */
export function witnessesWithKeys(policy: WitnessPolicy, keys: readonly PublicKey[]): readonly string[] {
  return [...policy.witnesses]
    .filter(([, { key }]) => keys.some(({ bytes }) => bytesEqual(bytes, key.publicKey.bytes)))
    .map(([name]) => name)
}

/**
 * Requires that none of the log keys is a witness key in the policy.
 *
 * @throws CryptoError `POLICY_INVALID`
 */
export function requireOtherWitnesses(policy: WitnessPolicy, logKeys: readonly PublicKey[]): void {
  if (witnessesWithKeys(policy, logKeys).length === 0) return
  const message = 'a witness of the policy has the public key of the log'
  throw new CryptoError('POLICY_INVALID', message, 'a log cannot witness itself')
}

/**
 * Returns the keys that a policy lists for the log with the given origin.
 *
 * @returns null if the policy does not list any logs and therefore accepts every log
 * @throws CryptoError `ORIGIN_MISMATCH` if the policy lists only other logs
 */
export function policyLogKeys(policy: WitnessPolicy, origin: string): readonly PublicKey[] | null {
  if (policy.logs.length === 0) return null
  const keys = policy.logs.filter(({ key }) => key.name === origin).map(({ key }) => key.publicKey)
  if (keys.length > 0) return keys
  throw new CryptoError('ORIGIN_MISMATCH', 'the witness policy does not list this log', ORIGIN_HINT)
}

const ORIGIN_HINT = 'compare the origin with the names in the `log` lines of the policy'

/** The log that the caller expects. If both fields are null, any log is accepted. */
export interface ExpectedLog {
  readonly origin: string | null
  readonly policy: WitnessPolicy | null
}

/**
 * Requires that a checkpoint belongs to the expected log and is signed by a key that the policy lists for the log.
 *
 * @param origin - the origin of the checkpoint
 * @param signedBy - the ids of the keys whose signatures were verified
 * @throws CryptoError `ORIGIN_MISMATCH`, `LOG_KEY_MISMATCH`
 */
export function requireLog(
  origin: string,
  signedBy: readonly string[],
  { policy, origin: expected }: ExpectedLog,
): void {
  if (expected !== null && origin !== expected) {
    throw new CryptoError('ORIGIN_MISMATCH', 'the checkpoint belongs to a log other than the expected log')
  }
  const keys = policy === null ? null : policyLogKeys(policy, origin)
  if (keys === null || keys.some(({ keyId }) => signedBy.includes(keyId))) return
  const message = 'the checkpoint is not signed by a key that the witness policy lists for this log'
  throw new CryptoError('LOG_KEY_MISMATCH', message)
}
