// Step one: reads the arguments of a call once, redacts them, and computes the decision hash.
import { formatTimestamp } from '@sudoagent/ledger/entry'
import { takeSnapshot } from '../arguments/snapshot.js'
import { AuthorityError, checkAuthority } from '../authority/authority.js'
import { bindParameters } from '../commitment/bound-parameters.js'
import type { CheckedCallOptions, EngineParts } from '../options.js'
import { buildContext, UNRECORDABLE } from '../policy/context.js'
import { requestDecision } from './decision.js'
import type { Denials } from './denials.js'
import { Refusal } from './refusal.js'
import type { PendingCall } from './unchanged.js'

/** A call as the caller made it. */
export interface GivenCall {
  readonly requestId: string
  readonly action: string
  readonly args: readonly unknown[]
  readonly terms: CheckedCallOptions
  /** The value of `this`. */
  readonly receiver: unknown
}

/**
 * Reads a call. Nothing is recorded.
 *
 * @throws SnapshotError or AuthorityError if the call cannot be recorded
 */
export function readCall(
  { requestId, action, args, terms, receiver: self }: GivenCall,
  { agentId, redactor, unicode, clock, commitmentKey }: EngineParts,
): PendingCall {
  const { metadata, policy } = terms
  const receiver = terms.receiver ? { value: self } : undefined
  const snapshot = takeSnapshot(args, unicode, receiver)
  const values = args === UNRECORDABLE ? UNRECORDABLE : snapshot.values
  const context = buildContext({
    requestId,
    action,
    agentId,
    redactor,
    values,
    receiver: snapshot.receiver,
    metadata,
  })
  const checked = checkAuthority(terms.authority, context.metadata, redactor)
  const bound = bindParameters(commitmentKey, context, snapshot)
  const request = requestDecision(context, policy.identity, formatTimestamp(clock()), checked, bound)
  return { request, terms, original: args, receiver, snapshot }
}

/** @throws the error for the caller if the call cannot be recorded, after the refusal was recorded */
export async function takeCall(call: GivenCall, parts: EngineParts, denials: Denials): Promise<PendingCall> {
  try {
    return readCall(call, parts)
  } catch (cause) {
    // The arguments or the authority cannot be recorded, but the refusal can.
    const { requestId, action, terms } = call
    const { agentId, redactor, clock } = parts
    const context = buildContext({ requestId, action, agentId, redactor, values: UNRECORDABLE })
    const request = requestDecision(context, terms.policy.identity, formatTimestamp(clock()))
    const code = cause instanceof AuthorityError ? 'AUTHORITY_INVALID' : 'PARAMETERS_INVALID'
    const reason = cause instanceof Error ? cause.message : 'the arguments cannot be recorded'
    const refusal = new Refusal({ kind: 'parameters', code, reason, cause })
    throw (await denials.refuse(request, terms, refusal)).denied
  }
}
