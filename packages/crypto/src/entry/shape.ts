/**
 * The shape of every kind of ledger entry: the members and their valid values. `verify` applies these rules to
 * every ledger line, and `verifyReceipt` applies them to the lines in a receipt, so both refuse the same entries.
 *
 *     decision     request_id, created_at, agent_id, action, actor, authority, parameters, approval, budget, and
 *                  decision {effect, reason, reason_code, policy_id, policy_version, policy_hash, decision_hash}, and
 *                  optionally commitment {key_id, hmac}
 *     outcome      the same call, and outcome {status, reason, reason_code, error_type, error}, and optionally
 *                  outcome.result {hmac, key_id, profile, bytes}
 *     checkpoint   a control entry of the ledger itself: genesis, key changes, close
 *
 * All entries have schema_version, ledger_version, prev_entry_hash and entry_hash. Entries written by this project
 * also have recorded_at, and signed entries have key_id and entry_signature. Additional members are allowed so that
 * later versions can add members; `entry_hash` covers the additional members. docs/ledger-format.md specifies the
 * complete format.
 */
import { isHash } from '../bytes/hash.js'
import { authorityMisfit } from './authority.js'
import { commitmentMisfit, resultMisfit } from './commitment.js'
import {
  type Check,
  type Fields,
  isObject,
  misfit,
  oneOf,
  optional,
  orNull,
  own,
  type Shape,
  shapeOf,
  text,
} from './fields.js'
import { isPypiEntry, pypiMisfit } from './pypi-entry.js'
import { isTimestamp } from './timestamp.js'

/** The only supported versions. */
export const SCHEMA_VERSION = '2.0'
export const LEDGER_VERSION = '2.0'

/**
 * The maximum length of `request_id` in UTF-16 code units. This project uses UUIDs (36 units); other writers may use
 * longer ids. The limit bounds the memory of the verifier, which keeps all ids in a map.
 */
export const REQUEST_ID_LENGTH_MAX = 128

/** The maximum length of a name (`action`, `agent_id`, `policy_id`, `reason_code`) in UTF-16 code units. */
export const NAME_LENGTH_MAX = 256

/** The maximum length of `reason` in UTF-16 code units. A reason is a sentence, not a document. */
export const REASON_LENGTH_MAX = 4096

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
  event: oneOf('decision', 'outcome'),
  request_id: text(REQUEST_ID_LENGTH_MAX, 1),
  created_at: isTimestamp,
  action: name,
  agent_id: name,
  metadata: optional(isObject),
})
/** The call members that both shapes have. */
const PYPI_CALL = shapeOf({ request_id: text(REQUEST_ID_LENGTH_MAX, 1), created_at: isTimestamp })
const CHECKPOINT = shapeOf({
  request_id: optional(orNull(text(REQUEST_ID_LENGTH_MAX))),
  created_at: optional(isTimestamp),
  event: oneOf('checkpoint'),
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

/** Validates a block that may be absent or null. */
function misfitOrNull(value: unknown, shape: Shape, path: string): string | null {
  return value === undefined || value === null ? null : misfit(value, shape, path)
}

/**
 * Validates `parameters`. The decision hash covers the whole object, so it must have no members besides `args` and
 * `kwargs`.
 */
function parametersMisfit(value: unknown): string | null {
  if (!isObject(value)) return 'parameters'
  if (!Array.isArray(own(value, 'args'))) return 'parameters.args'
  if (!isObject(own(value, 'kwargs'))) return 'parameters.kwargs'
  return Object.keys(value).length === 2 ? null : 'parameters'
}

function outcomeMisfit(value: unknown): string | null {
  return misfit(value, OUTCOME, 'outcome') ?? resultMisfit(own(value as Fields, 'result'))
}

function callMisfit(value: Fields): string | null {
  const [actor, decision, approval, budget] = ['actor', 'decision', 'approval', 'budget'].map((field) =>
    own(value, field),
  )
  const isDecision = own(value, 'event') === 'decision'
  return (
    misfit(value, CALL, '') ??
    (actor === undefined ? null : misfit(actor, ACTOR, 'actor')) ??
    misfit(decision, DECISION, 'decision') ??
    (isDecision && !oneOf('allow', 'deny')(own(decision as Fields, 'effect')) ? 'decision.effect' : null) ??
    misfitOrNull(approval, APPROVAL, 'approval') ??
    misfitOrNull(isObject(approval) ? own(approval, 'binding') : null, BINDING, 'approval.binding') ??
    misfitOrNull(budget, BUDGET, 'budget') ??
    parametersMisfit(own(value, 'parameters')) ??
    (isDecision ? commitmentMisfit(own(value, 'commitment')) : outcomeMisfit(own(value, 'outcome')))
  )
}

const isEvent = oneOf('decision', 'outcome', 'checkpoint')

function contentMisfit(value: { readonly [key: string]: unknown }): string | null {
  return value.event === 'checkpoint' ? misfit(value, CHECKPOINT, '') : callMisfit(value)
}

/** Validates an entry in the PyPI shape. Drafts never have that shape, because this project does not write it. */
function pypiCallMisfit(value: object): string | null {
  return misfit(value, PYPI_CALL, '') ?? pypiMisfit(value)
}

const VERSIONS = [
  ['schema_version', SCHEMA_VERSION],
  ['ledger_version', LEDGER_VERSION],
] as const

/** The reason why a value is not an entry of this version. */
export interface EntryProblem {
  readonly code: 'ENTRY_INVALID' | 'VERSION_UNSUPPORTED'
  readonly field: string
}

/**
 * Checks that `value` has the shape of a version 2.0 entry. Additional fields are allowed so that later versions
 * can add fields.
 *
 * @returns the first invalid field, or null if the value is valid and may be used as a `LedgerEntry`
 */
export function checkEntry(value: unknown): EntryProblem | null {
  const invalid = (field: string): EntryProblem => ({ code: 'ENTRY_INVALID', field })
  if (!isObject(value)) return invalid('entry')
  for (const [field, known] of VERSIONS) {
    // A value without a version is not an entry. A value with a different version may be an entry from a release
    // newer than this verifier.
    const version = Object.hasOwn(value, field) ? value[field] : undefined
    if (typeof version !== 'string') return invalid(field)
    if (version !== known) return { code: 'VERSION_UNSUPPORTED', field }
  }
  if (!isEvent(value.event)) return invalid('event')
  const isPypi = value.event !== 'checkpoint' && isPypiEntry(value)
  const field = misfit(value, SEALED, '') ?? (isPypi ? pypiCallMisfit(value) : contentMisfit(value))
  return field === null ? null : invalid(field)
}

/**
 * Like `checkEntry`, but for a draft, which lacks the members added by the ledger.
 *
 * @returns the path of the first invalid field, or null if all fields are valid
 */
export function draftMisfit(value: unknown): string | null {
  if (!isObject(value)) return 'entry'
  if (!isEvent(own(value, 'event'))) return 'event'
  return contentMisfit(value) ?? authorityMisfit(own(value, 'authority'))
}
