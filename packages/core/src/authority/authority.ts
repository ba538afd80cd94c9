// The authority of a call: for whom the agent calls, and what led to the call. The agent's own process says so; the
// policy, the approver and the record see the same values, and nothing is taken from them for granted.
//
//   engine.with({ onBehalfOf: { id: 'alice' }, tenant: 'acme', trace })
//   → entry      authority {"on_behalf_of":{"assurance":"asserted","id":"alice","type":"user"},"tenant":"acme"}
//                metadata.call {"trace":"00-…"}
//   → policy     context.actor { principal, onBehalfOf, tenant, trace }
//
// The approver sees `authority`. The approval is bound to `decision_hash`, which does not cover it. `metadata.call`
// changes with every attempt, and no decision rests on it.
import { type Authority, authorityMisfit, isAuthorityId } from '@sudoagent/crypto/entry'
import { encodeCanonical, type JsonValue } from '@sudoagent/crypto/json'
import type { JsonObject } from '@sudoagent/ledger/entry'
import { REQUEST_ID_LENGTH_MAX } from '../approval/approval.js'
import { deepFreeze } from '../arguments/deep-freeze.js'
import { takeValue } from '../arguments/snapshot.js'
import { readOptions } from '../check.js'
import { AUTHORITY_LIMITS } from '../limits.js'
import type { Redactor } from '../redaction/redactor.js'

/** Options of a call that say for whom it is made. All ids have 1–256 characters and no control characters. */
export interface CallAuthority {
  /** The person or service on whose behalf the agent acts. Default type: `user`. Prefer a pseudonymous id. */
  readonly onBehalfOf?: { readonly id: string; readonly type?: 'user' | 'service'; readonly issuer?: string }
  readonly tenant?: string
  readonly session?: string
  /** The agents between the subject and this one: the first was called by the subject, the last one calls this one. */
  readonly delegation?: readonly { readonly id: string; readonly issuer?: string }[]
  /** The version or process of the agent. */
  readonly instance?: string
  /** The request id of the call that led to this one. */
  readonly parent?: string
  /** W3C `traceparent`. */
  readonly trace?: string
}

export const AUTHORITY_OPTIONS: readonly (keyof CallAuthority)[] = [
  'onBehalfOf',
  'tenant',
  'session',
  'delegation',
  'instance',
  'parent',
  'trace',
]

/** The authority of a call as a policy sees it. */
export interface ContextActor extends CallAuthority {
  /** The agent. */
  readonly principal: string
}

/** The checked authority of one call, in NFC and frozen. */
export interface CheckedAuthority {
  /** The member of the entry; null if there is nothing to record. */
  readonly authority: Authority | null
  /** `metadata.call` of the entry; null if there is nothing to record. */
  readonly call: JsonObject | null
  /** All of it, for the policy. */
  readonly options: CallAuthority
}

/** The authority of a call is not valid: the call is denied with `AUTHORITY_INVALID`. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError'
}

export const NO_AUTHORITY: CheckedAuthority = Object.freeze({ authority: null, call: null, options: Object.freeze({}) })

/** Whether a text is a W3C `traceparent`: https://www.w3.org/TR/trace-context/#traceparent-header */
const isTraceparent = (value: unknown): value is string => typeof value === 'string' && TRACEPARENT.test(value)

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/**
 * The trace of a call in the `_meta` of an MCP request. A client may send any value as its `traceparent`; as in W3C
 * Trace Context, an invalid one is ignored.
 */
export function traceIn(meta: unknown): { readonly trace: string } | undefined {
  if (typeof meta !== 'object' || meta === null || !Object.hasOwn(meta, 'traceparent')) return undefined
  const { traceparent } = meta as { readonly traceparent: unknown }
  return isTraceparent(traceparent) ? { trace: traceparent } : undefined
}

/** Names under which a guard and a gateway record something in `metadata`. */
const RESERVED_METADATA = ['call', 'gateway'] as const

/** Reads an authority that a program gives. @throws TypeError for an unknown member, with a suggestion */
export function readAuthority(given: CallAuthority): CallAuthority {
  return mergeAuthority(readOptions('authority', given, AUTHORITY_OPTIONS) as CallAuthority)
}

/** Members that are set in a later one replace those of an earlier one. */
export function mergeAuthority(...given: readonly CallAuthority[]): CallAuthority {
  const merged: { [name: string]: unknown } = Object.create(null)
  for (const authority of given) {
    for (const name of AUTHORITY_OPTIONS) {
      if (Object.hasOwn(authority, name) && authority[name] !== undefined) merged[name] = authority[name]
    }
  }
  return merged
}

/**
 * Reads the authority of a call once, and checks it.
 *
 * @param metadata - the copy of the caller's metadata, which must not have the names that are set here
 * @throws AuthorityError naming the member, without its value
 */
export function checkAuthority(given: CallAuthority, metadata: object, redactor: Redactor): CheckedAuthority {
  const reserved = RESERVED_METADATA.find((name) => Object.hasOwn(metadata, name))
  if (reserved !== undefined)
    throw new AuthorityError(`\`metadata.${reserved}\` is reserved; use the options of the call`)
  if (Object.keys(given).length === 0) return NO_AUTHORITY
  // In NFC, as it is recorded: the policy must see the same text.
  const options = JSON.parse(canonicalText(given)) as CallAuthority
  requireNoSecrets(options as JsonValue, redactor)
  const { onBehalfOf, tenant, session, delegation, instance, parent, trace } = options
  const authority = withoutUndefined({ on_behalf_of: subjectOf(onBehalfOf), tenant, session, delegation })
  const call = withoutUndefined({ instance, parent, trace })
  const misfit = authorityMisfit(authority ?? undefined)
  if (misfit !== null) throw new AuthorityError(`\`${misfit}\` is not valid`)
  if (instance !== undefined && !isAuthorityId(instance)) throw new AuthorityError('`instance` is not valid')
  if (parent !== undefined && !(isAuthorityId(parent) && parent.length <= REQUEST_ID_LENGTH_MAX))
    throw new AuthorityError('`parent` is not valid')
  if (trace !== undefined && !isTraceparent(trace)) throw new AuthorityError('`trace` is not a W3C `traceparent`')
  return Object.freeze({
    authority: deepFreeze(authority) as Authority | null,
    call: deepFreeze(call) as JsonObject | null,
    options: deepFreeze(options) as CallAuthority,
  })
}

function canonicalText(given: CallAuthority): string {
  try {
    return encodeCanonical(takeValue({ ...given }, 'authority', AUTHORITY_LIMITS) as JsonValue)
  } catch (cause) {
    throw new AuthorityError('the authority of the call is not plain data', { cause })
  }
}

/** Makes the recorded subject. The agent's process can only assert it, so a given assurance or evidence is refused. */
function subjectOf(subject: CallAuthority['onBehalfOf']): unknown {
  if (typeof subject !== 'object' || subject === null || Array.isArray(subject)) return subject
  if (Object.hasOwn(subject, 'assurance') || Object.hasOwn(subject, 'evidence'))
    throw new AuthorityError('`onBehalfOf` cannot be given as verified')
  return { type: 'user', ...subject, assurance: 'asserted' }
}

/** These members are recorded as they are, so a secret in one is refused, not redacted. */
function requireNoSecrets(value: JsonValue, redactor: Redactor): void {
  if (typeof value === 'string') {
    if (redactor.text(value) !== value) throw new AuthorityError('the authority of the call seems to contain a secret')
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) requireNoSecrets(member, redactor)
  }
}

function withoutUndefined(members: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } | null {
  const given = Object.entries(members).filter(([, value]) => value !== undefined)
  return given.length === 0 ? null : Object.fromEntries(given)
}
