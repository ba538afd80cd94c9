// The key of commitments (`EngineOptions.commitmentKey`): random bytes that the operator keeps secret.
import { types } from 'node:util'

/** HMAC-SHA256 has a security of 256 bits with keys of at least this length. */
export const COMMITMENT_KEY_BYTES_MIN = 32

/**
 * Copies a commitment key, so that later changes to the caller's array do not change the key.
 *
 * @throws TypeError for a value other than a Uint8Array of at least 32 bytes
 */
export function copyCommitmentKey(key: unknown): Uint8Array {
  if (!types.isUint8Array(key) || key.length < COMMITMENT_KEY_BYTES_MIN)
    throw new TypeError(`\`commitmentKey\` must be a Uint8Array of at least ${COMMITMENT_KEY_BYTES_MIN} bytes`)
  return new Uint8Array(key)
}
