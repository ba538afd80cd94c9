// Commits to the parameters of a call before redaction, so that the operator can show later what they were.
import { type Commitment, commitCall } from '@sudoagent/crypto/entry'
import type { Snapshot } from '../arguments/snapshot.js'
import { type CallContext, givenParameters, type Parameters } from '../policy/context.js'

/** The parameters before redaction, with the commitment to them. Other components must not see these parameters. */
export interface BoundParameters {
  readonly given: Parameters
  readonly commitment: Commitment
}

/** @returns null without a key, or if a value of the call does not exist in JSON */
export function bindParameters(
  key: Uint8Array | null,
  context: CallContext,
  snapshot: Snapshot,
): BoundParameters | null {
  const given = key === null ? null : givenParameters(context, snapshot)
  if (key === null || given === null) return null
  return { given, commitment: commitmentAs(key, context.requestId, given) }
}

/**
 * The commitment to the parameters under a request id: that of the call, or of a question to which the call may belong.
 *
 * @param given - from `BoundParameters`
 */
export function commitmentAs(key: Uint8Array, requestId: string, given: Parameters): Commitment {
  // An entry has its request id in NFC.
  return commitCall(key, requestId.normalize('NFC'), given)
}
