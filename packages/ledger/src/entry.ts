// One entry of a ledger, as it stands on the wire (LEDGER-FORMAT §2): names are snake_case because the file says so.
//
//   {"action":"refund","actor":{"principal":"bot","source":"node"},"agent_id":"bot","approval":null,"budget":null,
//    "created_at":"2026-11-22T20:18:29.260000Z","decision":{…},"entry_hash":"…","event":"decision",…}
//
// An entry that comes out of `checkEntry` has the right shape and nothing more: whether it is true is for `chain` and `lifecycle`.
import { type Hash, isHash, type JsonValue } from '@sudoagent/crypto'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX, REQUEST_ID_LENGTH_MAX } from './limits.js'
import { isTimestamp } from './timestamp.js'

export const SCHEMA_VERSION = '2.0'
export const LEDGER_VERSION = '2.0'

export type Effect = 'allow' | 'deny'
export type OutcomeStatus = 'success' | 'error'
export type JsonObject = { readonly [key: string]: JsonValue }

/** Who acted, and in which implementation. An entry without it was written by the Python one (`source: "python"`). */
export interface Actor {
  readonly principal: string
  readonly source: string
}

/** The decision a call was given, and the policy that gave it. On an outcome entry `effect` is absent. */
export interface DecisionBlock {
  readonly effect?: Effect
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
}

/** What an approval is good for: this call, under this policy, with these parameters, and for nothing else. */
export interface BindingBlock {
  readonly request_id: string
  readonly policy_hash: string
  readonly decision_hash: string
}

export interface ApprovalBlock {
  readonly approval_id: string
  readonly state: string
  readonly approver_id: string | null
  readonly created_at: string | null
  readonly resolved_at: string | null
  readonly expires_at: string | null
  readonly binding: BindingBlock | null
}

export interface BudgetBlock {
  readonly budget_key: string | null
  readonly agent_id: string
  readonly action: string
  readonly cost: number
  readonly window_seconds: number
  readonly checked: boolean
}

/** Redacted arguments: positional in `args`; a call with one plain object (a tool call) has it in `kwargs`. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: JsonObject
}

export interface OutcomeBlock {
  readonly status: OutcomeStatus
  readonly reason: string | null
  readonly reason_code: string | null
  readonly error_type: string | null
  readonly error: string | null
}

/** What a writer hands to a ledger. The ledger adds versions, `recorded_at`, the chain and the signature. */
export interface EntryDraft {
  readonly event: 'decision' | 'outcome'
  readonly request_id: string
  readonly created_at: string
  readonly action: string
  readonly agent_id: string
  readonly actor: Actor
  readonly decision: DecisionBlock
  readonly approval?: ApprovalBlock | null
  readonly budget?: BudgetBlock | null
  readonly parameters: Parameters
  readonly outcome?: OutcomeBlock
  readonly metadata?: JsonObject
}

/** What the ledger itself adds to an entry. */
export interface Sealed {
  readonly schema_version: string
  readonly ledger_version: string
  readonly recorded_at?: string
  readonly prev_entry_hash: Hash | null
  readonly entry_hash: Hash
  readonly key_id?: string
  readonly entry_signature?: string
}

/** A decision or an outcome with the shape of §2. `actor` is absent where Python wrote the entry. */
export type CallEntry = Omit<EntryDraft, 'actor'> & { readonly actor?: Actor } & Sealed

/** A control entry (§5). Its content is for the reader that knows its kind (`control.ts`). */
export type CheckpointEntry = Sealed & {
  readonly event: 'checkpoint'
  readonly checkpoint?: unknown
  readonly created_at?: string
  readonly request_id?: string | null
}

export type LedgerEntry = CallEntry | CheckpointEntry

/** Says whether an entry is about a call, not a control entry. */
export function isCallEntry(entry: LedgerEntry): entry is CallEntry {
  return entry.event !== 'checkpoint'
}

type Check = (value: unknown) => boolean
type Shape = readonly (readonly [field: string, check: Check])[]

const shapeOf = (checks: { readonly [field: string]: Check }): Shape => Object.entries(checks)

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const text =
  (lengthMax: number, lengthMin = 0): Check =>
  (value) =>
    typeof value === 'string' && value.length >= lengthMin && value.length <= lengthMax
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value)
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const name = text(NAME_LENGTH_MAX, 1)
const moment = orNull(text(64))

const SEALED = shapeOf({
  recorded_at: optional(isTimestamp),
  prev_entry_hash: orNull(isHash),
  entry_hash: isHash,
  key_id: optional((value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)),
  entry_signature: optional(text(128, 1)),
})
const CALL = shapeOf({
  request_id: text(REQUEST_ID_LENGTH_MAX, 1),
  created_at: isTimestamp,
  action: name,
  agent_id: name,
  metadata: optional(isObject),
})
const CHECKPOINT = shapeOf({
  request_id: optional(orNull(text(REQUEST_ID_LENGTH_MAX))),
  created_at: optional(isTimestamp),
})
const ACTOR = shapeOf({ principal: name, source: name })
const DECISION = shapeOf({
  reason: text(REASON_LENGTH_MAX),
  reason_code: orNull(text(NAME_LENGTH_MAX)),
  policy_id: name,
  policy_version: orNull(text(NAME_LENGTH_MAX)),
  policy_hash: name,
  decision_hash: isHash,
})
const BINDING = shapeOf({ request_id: text(REQUEST_ID_LENGTH_MAX), policy_hash: name, decision_hash: name })
const APPROVAL = shapeOf({
  approval_id: name,
  state: name,
  approver_id: orNull(text(NAME_LENGTH_MAX)),
  created_at: moment,
  resolved_at: moment,
  expires_at: moment,
})
const BUDGET = shapeOf({
  budget_key: orNull(text(NAME_LENGTH_MAX)),
  agent_id: name,
  action: name,
  cost: count,
  window_seconds: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  checked: (value) => typeof value === 'boolean',
})
const OUTCOME = shapeOf({
  status: oneOf('success', 'error'),
  reason: orNull(text(REASON_LENGTH_MAX)),
  reason_code: orNull(text(NAME_LENGTH_MAX)),
  error_type: orNull(text(NAME_LENGTH_MAX)),
  error: orNull(text(REASON_LENGTH_MAX)),
})

/** The first field of `value` that does not fit, as a path; null when all do. */
function misfit(value: unknown, shape: Shape, path: string): string | null {
  if (!isObject(value)) return path
  for (const [field, check] of shape) {
    // Own fields only: an entry must not borrow `constructor` and the like from Object.prototype.
    const own = Object.hasOwn(value, field) ? value[field] : undefined
    if (!check(own)) return path === '' ? field : `${path}.${field}`
  }
  return null
}

/** A block that is absent, null, or fits its shape. */
function misfitOrNull(value: unknown, shape: Shape, path: string): string | null {
  return value === undefined || value === null ? null : misfit(value, shape, path)
}

/** `parameters` is hashed as it stands, so nothing may stand in it beside `args` and `kwargs`. */
function parametersMisfit(value: unknown): string | null {
  if (!isObject(value)) return 'parameters'
  if (!Array.isArray(value.args)) return 'parameters.args'
  if (!isObject(value.kwargs)) return 'parameters.kwargs'
  return Object.keys(value).length === 2 ? null : 'parameters'
}

function callMisfit(value: { readonly [key: string]: unknown }): string | null {
  const decision = isObject(value.decision) ? value.decision : {}
  const approval = isObject(value.approval) ? value.approval : {}
  const isDecision = value.event === 'decision'
  return (
    misfit(value, CALL, '') ??
    (value.actor === undefined ? null : misfit(value.actor, ACTOR, 'actor')) ??
    misfit(value.decision, DECISION, 'decision') ??
    (isDecision && !oneOf('allow', 'deny')(decision.effect) ? 'decision.effect' : null) ??
    misfitOrNull(value.approval, APPROVAL, 'approval') ??
    misfitOrNull(approval.binding, BINDING, 'approval.binding') ??
    misfitOrNull(value.budget, BUDGET, 'budget') ??
    parametersMisfit(value.parameters) ??
    (isDecision ? null : misfit(value.outcome, OUTCOME, 'outcome'))
  )
}

const isEvent = oneOf('decision', 'outcome', 'checkpoint')

function contentMisfit(value: { readonly [key: string]: unknown }): string | null {
  return value.event === 'checkpoint' ? misfit(value, CHECKPOINT, '') : callMisfit(value)
}

const VERSIONS = [
  ['schema_version', SCHEMA_VERSION],
  ['ledger_version', LEDGER_VERSION],
] as const

/** A value that is no entry of this version: which field is wrong. */
export interface EntryProblem {
  readonly code: 'ENTRY_INVALID' | 'VERSION_UNSUPPORTED'
  readonly field: string
}

/**
 * Whether `value` has the shape of an entry of version 2.0; extra fields are allowed, so that later versions can add some.
 *
 * @returns null when it does (then it may be used as `LedgerEntry`), else the first field that does not fit
 */
export function checkEntry(value: unknown): EntryProblem | null {
  const invalid = (field: string): EntryProblem => ({ code: 'ENTRY_INVALID', field })
  if (!isObject(value)) return invalid('entry')
  for (const [field, known] of VERSIONS) {
    // Without a version it is no entry at all; with another one it may be an entry that this verifier is too old for.
    const version = Object.hasOwn(value, field) ? value[field] : undefined
    if (typeof version !== 'string') return invalid(field)
    if (version !== known) return { code: 'VERSION_UNSUPPORTED', field }
  }
  if (!isEvent(value.event)) return invalid('event')
  const field = misfit(value, SEALED, '') ?? contentMisfit(value)
  return field === null ? null : invalid(field)
}

/**
 * As `checkEntry`, of a draft: what the ledger adds to it is not there yet.
 *
 * @returns the first field that does not fit, as a path; null when all do
 */
export function draftMisfit(value: unknown): string | null {
  if (!isObject(value)) return 'entry'
  return isEvent(value.event) ? contentMisfit(value) : 'event'
}
