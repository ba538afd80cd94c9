/**
 * What the policy, the approver and the record see of a call: its facts, redacted and frozen.
 *
 * A call with exactly one plain object as argument is a tool call with named arguments: they are in `kwargs`, and `args`
 * is empty. Any other call has its arguments in `args`, and `kwargs` is empty.
 */
import type { JsonValue } from '@sudoagent/crypto'
import { SnapshotError } from '../arguments/error.js'
import { kindOf, markCopy } from '../arguments/kind.js'
import { takeValue } from '../arguments/snapshot.js'
import { METADATA_LIMITS } from '../limits.js'
import type { Concealment } from '../redaction/concealment.js'
import type { Redacted } from '../redaction/json.js'
import type { Redactor } from '../redaction/redactor.js'

/** Frozen at every depth. All values are the redacted JSON form that `Redactor.json` describes. */
export interface Context {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  readonly metadata: Readonly<Record<string, JsonValue>>
  /**
   * Everything of the arguments that is not shown, with its path, kind and length; empty when all is shown. The engine
   * notes whether `evaluate` read it: a policy that allows a call without reading it did not see what runs
   * (`onConcealed`). Not enumerable, so that a copy or a log line of the context does not count as reading.
   *
   * @example
   * evaluate: ({ kwargs, concealed }) =>
   *   concealed.some(({ path }) => path !== 'password') ? deny('hidden arguments') : allow(kwargs)
   */
  readonly concealed: readonly Concealment[]
}

/** The `parameters` of a ledger entry, and of the decision hash. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

/** A context as the engine keeps it: plain data. Policies get `policyView` of it. */
export type CallContext = Omit<Context, 'concealed'>

/**
 * The arguments of a call that cannot be recorded as they are. A guard that refuses such a call before it has values hands this very list to
 * `authorize`, and the entry has `"<unrecordable>"`; a caller's own text of that kind is recorded as `"<text><unrecordable>"`.
 */
export const UNRECORDABLE: readonly unknown[] = Object.freeze(['<unrecordable>'])

export interface ContextFacts {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  /** The values of a snapshot. An object that no snapshot made is named (`"<object>"`), not read. */
  readonly values: readonly unknown[]
  /** A plain object as the caller gave it, or undefined for none; read once, here, within `METADATA_LIMITS`. */
  readonly metadata?: unknown
  /** What a snapshot says of `this`; undefined for nothing. It is in `kwargs.this`. */
  readonly receiver?: unknown
  readonly redactor: Redactor
}

/**
 * Builds the context of a call.
 *
 * Objects in it have the ordinary prototype, so that policies and tests can use them as usual (spread, `in`, equality),
 * and all their members are defined, never assigned: a key `__proto__` is an own, visible, harmless member. Ask for
 * foreign names with `Object.hasOwn`.
 *
 * @throws SnapshotError `PARAMETERS_INVALID` when the metadata is no plain object or cannot be read, or when two keys of
 * one object are one after Unicode normalisation
 * @example
 * buildContext({ requestId, action: 'refund', agentId: 'support', values: takeSnapshot([{ amount: 5, token: 'abc' }]).values, redactor })
 *   .kwargs // { amount: 5, token: '[redacted]' }
 */
export function buildContext(facts: ContextFacts): CallContext {
  const { requestId, action, agentId, values, metadata, receiver, redactor } = facts
  const [first] = values
  const named = values.length === 1 && kindOf(first) === 'object'
  // As one list: `set('API_KEY', 'abc')` is a name and its secret.
  const { json, concealed, undeclared } =
    values === UNRECORDABLE
      ? { json: UNRECORDABLE as readonly string[], concealed: [], undeclared: 0 }
      : redactor.redact(named ? first : markCopy([...values], 'array'))
  const own = receiver === undefined ? null : redactor.redact(receiver)
  const context: CallContext = Object.freeze({
    requestId,
    // As they are recorded and hashed: a policy must not see another spelling than the record shows.
    action: action.normalize('NFC'),
    agentId: agentId.normalize('NFC'),
    // The JSON form of a list is a list, and of a plain object an object.
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

/** What a policy gets. Reading `concealed` is noted. */
export function policyView(context: CallContext): Context {
  const notice = noticeOf(context)
  const get = (): readonly Concealment[] => {
    notice.wasRead = true
    return notice.concealed
  }
  return Object.freeze(Object.defineProperty({ ...context } as Context, 'concealed', { get, enumerable: false }))
}

/** What of a call's arguments is not shown. */
export interface ConcealmentNotice {
  readonly concealed: readonly Concealment[]
  /** How many UTF-16 units are not shown that no option and no credential's own form declares a secret. */
  readonly undeclared: number
  /** `context.concealed` was read. */
  wasRead: boolean
}

const notices = new WeakMap<object, ConcealmentNotice>()

/** Of a context that `buildContext` made. */
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

/** What of a context stands in the ledger entry as `parameters`. */
export function parametersOf(context: CallContext): Parameters {
  return Object.freeze({ args: context.args, kwargs: context.kwargs })
}

function redactMetadata(metadata: unknown, redactor: Redactor): Readonly<Record<string, JsonValue>> {
  const copy = takeValue(metadata, 'metadata', METADATA_LIMITS)
  if (kindOf(copy) !== 'object') throw new SnapshotError('metadata', 'is not a plain object')
  return redactor.json(copy) as Readonly<Record<string, JsonValue>>
}
