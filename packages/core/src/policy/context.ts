/**
 * The context of a call: its facts, redacted and frozen, as the policy, the approver and the record see them.
 *
 * A call with exactly one argument that is a plain object is a tool call with named arguments: they are in
 * `kwargs`, and `args` is empty. Any other call has its arguments in `args`, and `kwargs` is empty.
 */
import type { JsonValue } from '@sudoagent/crypto/json'
import { SnapshotError } from '../arguments/error.js'
import { kindOf, markCopy } from '../arguments/kind.js'
import { takeValue } from '../arguments/snapshot.js'
import { METADATA_LIMITS } from '../limits.js'
import type { Concealment } from '../redaction/concealment.js'
import type { Redacted } from '../redaction/json.js'
import type { Redactor } from '../redaction/redactor.js'

/** Frozen at every depth. All values are in the redacted JSON form of `Redactor.json`. */
export interface Context {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  readonly metadata: Readonly<Record<string, JsonValue>>
  /**
   * The concealed parts of the arguments, with path, kind and length; empty when all values are visible. The engine
   * notes whether `evaluate` read this property: a policy that allows a call without reading it has ignored the
   * concealed parts (`onConcealed`). Not enumerable, so that copying or logging the context does not count as
   * reading.
   *
   * @example
   * evaluate: ({ kwargs, concealed }) =>
   *   concealed.some(({ path }) => path !== 'password') ? deny('hidden arguments') : allow(kwargs)
   */
  readonly concealed: readonly Concealment[]
}

/** The `parameters` of a ledger entry and of the decision hash. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

/** A context as plain data, as the engine keeps it. Policies receive the result of `policyView`. */
export type CallContext = Omit<Context, 'concealed'>

/**
 * The arguments of a call that cannot be recorded. A guard that refuses such a call passes exactly this list to
 * `authorize`, and the entry contains `"<unrecordable>"`; the same string from a caller is recorded as
 * `"<text><unrecordable>"`.
 */
export const UNRECORDABLE: readonly unknown[] = Object.freeze(['<unrecordable>'])

export interface ContextFacts {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  /** The values of a snapshot. An object that no snapshot made is shown by name (`"<object>"`) and not read. */
  readonly values: readonly unknown[]
  /** A plain object as the caller passed it, or undefined; read once, here, within `METADATA_LIMITS`. */
  readonly metadata?: unknown
  /** The snapshot of `this`, for `kwargs.this`; undefined when it is not part of the call. */
  readonly receiver?: unknown
  readonly redactor: Redactor
}

/**
 * Builds the context of a call.
 *
 * Objects in it have the ordinary prototype, so that policies and tests can use them as usual (spread, `in`,
 * equality). Their members are defined, never assigned: a key `__proto__` is an own, visible, harmless member. Use
 * `Object.hasOwn` to look up untrusted names.
 *
 * @throws SnapshotError `PARAMETERS_INVALID` when the metadata is not a plain object or cannot be read, or when two
 *   keys of one object are equal after Unicode normalisation
 * @example
 * const { values } = takeSnapshot([{ amount: 5, token: 'abc' }])
 * buildContext({ requestId, action: 'refund', agentId: 'support', values, redactor }).kwargs
 *   // { amount: 5, token: '[redacted]' }
 */
export function buildContext(facts: ContextFacts): CallContext {
  const { requestId, action, agentId, values, metadata, receiver, redactor } = facts
  const [first] = values
  const named = values.length === 1 && kindOf(first) === 'object'
  // Redacted as one list, because `set('API_KEY', 'abc')` is a name and its secret.
  const { json, concealed, undeclared } =
    values === UNRECORDABLE
      ? { json: UNRECORDABLE as readonly string[], concealed: [], undeclared: 0 }
      : redactor.redact(named ? first : markCopy([...values], 'array'))
  const own = receiver === undefined ? null : redactor.redact(receiver)
  const context: CallContext = Object.freeze({
    requestId,
    // Normalised as in the record and the hash: the policy must see the same spelling.
    action: action.normalize('NFC'),
    agentId: agentId.normalize('NFC'),
    // The JSON form of a list is a list, and that of a plain object is an object.
    args: named ? Object.freeze([]) : (json as readonly JsonValue[]),
    kwargs: withReceiver(named ? (json as Readonly<Record<string, JsonValue>>) : Object.freeze({}), own),
    metadata: metadata === undefined ? Object.freeze({}) : redactMetadata(metadata, redactor),
  })
  notices.set(context, {
    concealed: own === null ? concealed : Object.freeze([...concealed, ...own.concealed.map(ofReceiver)]),
    undeclared: undeclared + (own?.undeclared ?? 0),
    wasRead: false,
  })
  return context
}

/** The context for a policy. It notes a read of `concealed`. */
export function policyView(context: CallContext): Context {
  const notice = noticeOf(context)
  const get = (): readonly Concealment[] => {
    notice.wasRead = true
    return notice.concealed
  }
  return Object.freeze(Object.defineProperty({ ...context } as Context, 'concealed', { get, enumerable: false }))
}

/** The concealed parts of a call's arguments. */
export interface ConcealmentNotice {
  readonly concealed: readonly Concealment[]
  /** UTF-16 code units of concealed values that neither an option nor the form of a credential declares secret. */
  readonly undeclared: number
  /** Whether `context.concealed` was read. */
  wasRead: boolean
}

const notices = new WeakMap<object, ConcealmentNotice>()

/** The notice of a context that `buildContext` made. */
export function noticeOf(context: CallContext): ConcealmentNotice {
  return notices.get(context) ?? { concealed: [], undeclared: 0, wasRead: false }
}

const ofReceiver = (item: Concealment): Concealment =>
  Object.freeze({ ...item, path: item.path === '' ? 'this' : `this.${item.path}` })

function withReceiver(kwargs: Context['kwargs'], own: Redacted | null): Context['kwargs'] {
  if (own === null) return kwargs
  if (Object.hasOwn(kwargs, 'this')) throw new SnapshotError('args[0].this', 'has the name of the receiver')
  return Object.freeze({ ...kwargs, this: own.json })
}

/** The part of a context that the ledger entry contains as `parameters`. */
export function parametersOf(context: CallContext): Parameters {
  return Object.freeze({ args: context.args, kwargs: context.kwargs })
}

function redactMetadata(metadata: unknown, redactor: Redactor): Readonly<Record<string, JsonValue>> {
  const copy = takeValue(metadata, 'metadata', METADATA_LIMITS)
  if (kindOf(copy) !== 'object') throw new SnapshotError('metadata', 'is not a plain object')
  return redactor.json(copy) as Readonly<Record<string, JsonValue>>
}
