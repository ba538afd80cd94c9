// Step one: reads the arguments of a call once, redacts them, and computes the decision hash.
import { takeSnapshot } from '../arguments/snapshot.js'
import { AuthorityError, checkAuthority } from '../authority/authority.js'
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

/** @throws the error for the caller if the arguments cannot be recorded, after the refusal was recorded */
export async function takeCall(
  { requestId, action, args, terms, receiver: self }: GivenCall,
  { agentId, redactor, unicode, clock }: EngineParts,
  denials: Denials,
): Promise<PendingCall> {
  const { metadata, policy } = terms
  const facts = { requestId, action, agentId, redactor }
  const receiver = terms.receiver ? { value: self } : undefined
  try {
    const snapshot = takeSnapshot(args, unicode, receiver)
    const values = args === UNRECORDABLE ? UNRECORDABLE : snapshot.values
    const context = buildContext({ ...facts, values, receiver: snapshot.receiver, metadata })
    const checked = checkAuthority(terms.authority, context.metadata, redactor)
    const request = requestDecision(context, policy.identity, clock(), checked)
    return { request, terms, original: args, receiver, snapshot }
  } catch (cause) {
    // The arguments or the authority cannot be recorded, but the refusal can.
    const request = requestDecision(buildContext({ ...facts, values: UNRECORDABLE }), policy.identity, clock())
    const code = cause instanceof AuthorityError ? 'AUTHORITY_INVALID' : 'PARAMETERS_INVALID'
    const reason = cause instanceof Error ? cause.message : 'the arguments cannot be recorded'
    const refusal = new Refusal({ kind: 'parameters', code, reason, cause })
    throw (await denials.refuse(request, terms, refusal)).denied
  }
}
