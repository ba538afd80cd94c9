/**
 * What the policy, the approver and the record see of a call: its facts, redacted and frozen.
 *
 * A call with exactly one plain object as argument is a tool call with named arguments: they are in `kwargs`, and `args`
 * is empty. Any other call has its arguments in `args`, and `kwargs` is empty.
 */
import type { JsonValue } from '@sudoagent/crypto'
import { METADATA_LIMITS } from './limits.js'
import type { Redactor } from './redaction.js'
import { SnapshotError } from './snapshot/error.js'
import { kindOf, markCopy } from './snapshot/kind.js'
import { takeValue } from './snapshot.js'

/** Frozen at every depth. All values are the redacted JSON form that `Redactor.json` describes. */
export interface Context {
  readonly requestId: string
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  readonly metadata: Readonly<Record<string, JsonValue>>
}

/** The `parameters` of a ledger entry, and of the decision hash. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

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
export function buildContext(facts: ContextFacts): Context {
  const { requestId, action, agentId, values, metadata, receiver, redactor } = facts
  const [first] = values
  const named = values.length === 1 && kindOf(first) === 'object'
  return Object.freeze({
    requestId,
    // As they are recorded and hashed: a policy must not see another spelling than the record shows.
    action: action.normalize('NFC'),
    agentId: agentId.normalize('NFC'),
    args: named ? Object.freeze([]) : redactList(values, redactor),
    kwargs: withReceiver(named ? redactObject(first, redactor) : Object.freeze({}), receiver, redactor),
    metadata: metadata === undefined ? Object.freeze({}) : redactMetadata(metadata, redactor),
  })
}

function withReceiver(kwargs: Context['kwargs'], receiver: unknown, redactor: Redactor): Context['kwargs'] {
  if (receiver === undefined) return kwargs
  if (Object.hasOwn(kwargs, 'this')) throw new SnapshotError('args[0].this', 'has the name of the receiver')
  return Object.freeze({ ...kwargs, this: redactor.json(receiver) })
}

/** What of a context stands in the ledger entry as `parameters`. */
export function parametersOf(context: Context): Parameters {
  return Object.freeze({ args: context.args, kwargs: context.kwargs })
}

function redactList(values: readonly unknown[], redactor: Redactor): readonly JsonValue[] {
  // As one list: `set('API_KEY', 'abc')` is a name and its secret. The JSON form of a list is a list.
  return redactor.json(markCopy([...values], 'array')) as readonly JsonValue[]
}

function redactMetadata(metadata: unknown, redactor: Redactor): Readonly<Record<string, JsonValue>> {
  const copy = takeValue(metadata, 'metadata', METADATA_LIMITS)
  if (kindOf(copy) !== 'object') throw new SnapshotError('metadata', 'is not a plain object')
  return redactObject(copy, redactor)
}

function redactObject(copy: unknown, redactor: Redactor): Readonly<Record<string, JsonValue>> {
  // The JSON form of a plain object is an object.
  return redactor.json(copy) as Readonly<Record<string, JsonValue>>
}
