/**
 * Builds the context of a call: the redacted, frozen facts that the policy, the approver and the record see.
 *
 * If a call has exactly one argument and the argument is a plain object, the call is a tool call with named arguments:
 * `kwargs` contains the named arguments, and `args` is empty. For any other call, `args` contains the arguments, and
 * `kwargs` is empty.
 */
import type { JsonValue } from '@sudoagent/crypto/json'
import { SnapshotError } from '../arguments/error.js'
import { givenValue } from '../arguments/given-value.js'
import { isInstance, kindOf, markCopy } from '../arguments/kind.js'
import { type Snapshot, takeValue } from '../arguments/snapshot.js'
import { textChangesOf } from '../arguments/text-changes.js'
import type { CallAuthority, ContextActor } from '../authority/authority.js'
import { METADATA_LIMITS } from '../limits.js'
import type { Concealment } from '../redaction/concealment.js'
import type { Redacted } from '../redaction/redacted.js'
import type { Redactor } from '../redaction/redactor.js'

/** Deeply frozen. All values are in the redacted JSON form that `Redactor.json` returns. */
export interface Context {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  readonly metadata: Readonly<Record<string, JsonValue>>
  /** The agent, and for whom it calls, as asserted by the agent's process. */
  readonly actor: ContextActor
  /**
   * The concealed parts of the arguments, with path, kind and length; empty if all values are visible. The engine
   * checks whether `evaluate` read this property: a policy that allows a call without reading `concealed` has ignored
   * the concealed parts (`onConcealed`). This property is not enumerable, so that copying or logging the context does
   * not count as reading it.
   *
   * @example
   * evaluate: ({ kwargs, concealed }) =>
   *   concealed.some(({ path }) => path !== 'password') ? deny('hidden arguments') : allow(kwargs)
   */
  readonly concealed: readonly Concealment[]
}

/** The `parameters` in the ledger entry and the decision hash. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

/** The engine's own form of the context, as plain data. Policies receive the result of `policyView`. */
export type CallContext = Omit<Context, 'actor' | 'concealed'>

/**
 * The placeholder for arguments that cannot be recorded. A guard that refuses such a call passes exactly this list to
 * `authorize`, and the entry contains `"<unrecordable>"`. If a caller passes the same string, the string is recorded
 * as `"<text><unrecordable>"`.
 */
export const UNRECORDABLE: readonly string[] = Object.freeze(['<unrecordable>'])

/** The placeholder counts as one converted value, because it replaces the whole list of arguments. */
const UNRECORDED: Redacted = Object.freeze({
  json: UNRECORDABLE,
  concealed: Object.freeze([]),
  undeclared: 0,
  redacted: 1,
  converted: 1,
})

export interface ContextFacts {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  /** Values from a snapshot. An object that is not part of a snapshot is shown by name (`"<object>"`) and not read. */
  readonly values: readonly unknown[]
  /**
   * A plain object as the caller passed it, or undefined. The object is read only once, here, within
   * `METADATA_LIMITS`.
   */
  readonly metadata?: unknown
  /** The snapshot of `this`, for `kwargs.this`; undefined if `this` is not part of the call. */
  readonly receiver?: unknown
  readonly redactor: Redactor
}

/**
 * Builds the context of a call.
 *
 * Objects in the context have the ordinary prototype, so that policies and tests can use them as usual (spread, `in`,
 * equality). Members are defined, never assigned, so a key `__proto__` is an own, visible, harmless member. Use
 * `Object.hasOwn` to look up untrusted names.
 *
 * @throws SnapshotError `PARAMETERS_INVALID` if the metadata is not a plain object or cannot be read, or if two keys of
 * one object are equal after Unicode normalisation
 * @example
 * const { values } = takeSnapshot([{ amount: 5, token: 'abc' }])
 * buildContext({ requestId, action: 'refund', agentId: 'support', values, redactor }).kwargs
 *   // { amount: 5, token: '[redacted]' }
 */
export function buildContext(facts: ContextFacts): CallContext {
  const { requestId, action, agentId, values, metadata, receiver, redactor } = facts
  const [first] = values
  const named = hasNames(values)
  // The arguments are redacted as one list, because the arguments of `set('API_KEY', 'abc')` are a name and its secret.
  const given = values === UNRECORDABLE ? UNRECORDED : redactor.redact(named ? first : listOf(values))
  const { json, concealed } = given
  const own = receiver === undefined ? null : redactReceiver(receiver, redactor)
  const context: CallContext = Object.freeze({
    requestId,
    // The action is normalised as in the record and the hash, so that the policy sees the same spelling.
    action: action.normalize('NFC'),
    agentId: agentId.normalize('NFC'),
    // The JSON form of a list is a list, and the JSON form of a plain object is an object.
    args: named ? Object.freeze([]) : (json as readonly JsonValue[]),
    kwargs: withReceiver(named ? (json as Readonly<Record<string, JsonValue>>) : Object.freeze({}), own),
    metadata: metadata === undefined ? Object.freeze({}) : redactMetadata(metadata, redactor),
  })
  notices.set(context, {
    concealed: own === null ? concealed : Object.freeze([...concealed, ...own.concealed.map(ofReceiver)]),
    undeclared: given.undeclared + (own?.undeclared ?? 0),
    redacted: given.redacted + (own?.redacted ?? 0),
    converted: given.converted + (own?.converted ?? 0),
    wasRead: false,
  })
  return context
}

/** The same context under another request id: for a call that attaches to a question. */
export function underRequestId(context: CallContext, requestId: string): CallContext {
  const renamed: CallContext = Object.freeze({ ...context, requestId })
  notices.set(renamed, noticeOf(context))
  return renamed
}

/** Whether the call has named arguments: one plain object. */
function hasNames(values: readonly unknown[]): boolean {
  return values.length === 1 && kindOf(values[0]) === 'object'
}

/** Returns a list of arguments as a marked copy, because a redactor reads only marked copies. */
function listOf(values: readonly unknown[]): readonly unknown[] {
  return textChangesOf(values).mark(markCopy([...values], 'array'))
}

/** Returns the context for a policy. The context notes when `concealed` is read. */
export function policyView(context: CallContext, authority: CallAuthority): Context {
  const notice = noticeOf(context)
  const get = (): readonly Concealment[] => {
    notice.wasRead = true
    return notice.concealed
  }
  const actor: ContextActor = Object.freeze({ ...authority, principal: context.agentId })
  return Object.freeze(Object.defineProperty({ ...context, actor } as Context, 'concealed', { get, enumerable: false }))
}

/**
 * The concealed parts of a call's arguments, whether the policy read them, and the numbers of values and keys that are
 * not recorded as themselves.
 *
 * The numbers cover the arguments and the receiver, not the metadata. They are not part of the parameters, so
 * `decision_hash` does not cover them. A receiver that is an instance of a class counts as one converted value: the
 * function receives the instance itself, but only its own fields are recorded.
 */
export interface ConcealmentNotice extends Omit<Redacted, 'json'> {
  /** Whether the policy read `context.concealed`. */
  wasRead: boolean
}

const notices = new WeakMap<object, ConcealmentNotice>()

/**
 * Returns the notice that belongs to a context from `buildContext`.
 *
 * @throws TypeError for any other context: a notice of zeros would say that nothing is concealed
 */
export function noticeOf(context: CallContext): ConcealmentNotice {
  const notice = notices.get(context)
  if (notice === undefined) throw new TypeError('the context was not created by `buildContext`')
  return notice
}

const ofReceiver = (item: Concealment): Concealment =>
  Object.freeze({ ...item, path: item.path === '' ? 'this' : `this.${item.path}` })

function redactReceiver(receiver: unknown, redactor: Redactor): Redacted {
  const own = redactor.redact(receiver)
  if (!isInstance(receiver)) return own
  return { ...own, redacted: own.redacted + 1, converted: own.converted + 1 }
}

function withReceiver(kwargs: Context['kwargs'], own: Redacted | null): Context['kwargs'] {
  if (own === null) return kwargs
  if (Object.hasOwn(kwargs, 'this')) throw new SnapshotError('args[0].this', 'has the same name as the receiver')
  return Object.freeze({ ...kwargs, this: own.json })
}

/** Returns the part of a context that the ledger entry contains as `parameters`. */
export function parametersOf(context: CallContext): Parameters {
  return Object.freeze({ args: context.args, kwargs: context.kwargs })
}

/**
 * Returns the parameters of a call before redaction, with strings as given; null if a value does not exist in JSON.
 *
 * @param context - the context that was built from the snapshot
 */
export function givenParameters(context: CallContext, { values, receiver }: Snapshot): Parameters | null {
  if (noticeOf(context).converted > 0) return null
  const given = givenValue(values) as readonly JsonValue[]
  const kwargs = (hasNames(values) ? given[0] : {}) as Parameters['kwargs']
  return {
    args: hasNames(values) ? [] : given,
    kwargs: receiver === undefined ? kwargs : { ...kwargs, this: givenValue(receiver) },
  }
}

function redactMetadata(metadata: unknown, redactor: Redactor): Readonly<Record<string, JsonValue>> {
  const copy = takeValue(metadata, 'metadata', METADATA_LIMITS)
  if (kindOf(copy) !== 'object') throw new SnapshotError('metadata', 'is not a plain object')
  return redactor.json(copy) as Readonly<Record<string, JsonValue>>
}
