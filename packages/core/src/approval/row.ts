import { type Hash, isHash } from '@sudoagent/crypto'
import { requireInstantMs, requireInteger, requireText } from '../check.js'
import {
  APPROVAL_STATES,
  APPROVAL_TTL_MS_MAX,
  type ApprovalBinding,
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalState,
  ApprovalStoreError,
  NAME_LENGTH_MAX,
  parseBinding,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
} from './approval.js'
import { decodeParameters, encodeParameters, PARAMETERS_BYTES_MAX } from './json-column.js'

/** An approval in its stored form: flat, with times in Unix milliseconds and parameters as canonical JSON. */
export interface ApprovalRow {
  readonly approvalId: string
  readonly policyHash: string
  readonly decisionHash: string
  readonly action: string
  readonly agentId: string
  readonly reason: string
  readonly parametersJson: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly state: ApprovalState
  readonly approverId: string | null
  readonly note: string | null
  readonly resolvedAtMs: number | null
  readonly consumedAtMs: number | null
}

/** The latest time that a `Date` can represent (ECMA-262 §21.4.1.1). */
const INSTANT_MS_MAX = 8_640_000_000_000_000

/**
 * Validates a request, which callers may have built themselves, and creates its pending row.
 *
 * @throws TypeError for an invalid field, RangeError for a deadline that is too far away, `APPROVAL_EXPIRED` if the
 * deadline has passed
 */
export function pendingRow(request: ApprovalRequest, nowMs: number): ApprovalRow {
  const binding = parseBinding(request.binding)
  const createdAtMs = requireInstantMs('createdAt', request.createdAt)
  const expiresAtMs = requireInstantMs('expiresAt', request.expiresAt)
  if (request.approvalId !== binding.requestId) throw new TypeError('`approvalId` must be equal to the request id')
  if (expiresAtMs <= createdAtMs) throw new TypeError('`expiresAt` must be after `createdAt`')
  // The deadline is compared with both times: `createdAt` comes from the caller, and a `createdAt` in the future must
  // not allow a later deadline.
  if (expiresAtMs - Math.min(createdAtMs, nowMs) > APPROVAL_TTL_MS_MAX) {
    throw new RangeError(`\`expiresAt\` is more than ${APPROVAL_TTL_MS_MAX} ms away`)
  }
  if (nowMs >= expiresAtMs) throw new ApprovalStoreError('APPROVAL_EXPIRED', 'the approval request has already expired')
  return Object.freeze({
    approvalId: binding.requestId,
    policyHash: binding.policyHash,
    decisionHash: binding.decisionHash,
    action: requireText('action', request.action, NAME_LENGTH_MAX),
    agentId: requireText('agentId', request.agentId, NAME_LENGTH_MAX),
    reason: requireText('reason', request.reason, REASON_LENGTH_MAX, true),
    parametersJson: encodeParameters(request.args, request.kwargs),
    createdAtMs,
    expiresAtMs,
    ...UNANSWERED,
  })
}

/** The result columns of a new row. */
export const UNANSWERED = {
  state: 'pending',
  approverId: null,
  note: null,
  resolvedAtMs: null,
  consumedAtMs: null,
} as const

/** The lease columns of a question without a waiter. */
export const UNLEASED = { leaseHolder: null, leasedUntilMs: null } as const

const NOT_ASKED = { ...UNANSWERED, ...UNLEASED }

/** Whether two rows of either kind contain the same request, regardless of the result and the lease. */
export function sameRequest(a: ApprovalRow, b: ApprovalRow): boolean {
  const asked = (row: ApprovalRow) => Object.entries(row).filter(([name]) => !Object.hasOwn(NOT_ASKED, name))
  const [of, other] = [asked(a), new Map(asked(b))]
  return of.length === other.size && of.every(([name, value]) => other.has(name) && other.get(name) === value)
}

export function bindingOf(row: ApprovalRow): ApprovalBinding {
  return parseBinding({ requestId: row.approvalId, policyHash: row.policyHash, decisionHash: row.decisionHash })
}

/**
 * Validates a row from a file that other programs may have written. Checks the type of each field and the consistency
 * of the fields: a settled record has a resolution time, an approval was given before the deadline, and only an
 * approved record is used.
 *
 * @throws an error of any type if the row is invalid. The store maps the error to `APPROVAL_STORE_FAILED`
 */
export function checkRow(raw: unknown): ApprovalRow {
  const row = checkColumns(raw)
  if (row.expiresAtMs - row.createdAtMs > APPROVAL_TTL_MS_MAX) throw new TypeError('its lifetime exceeds the maximum')
  if (row.consumedAtMs !== null && row.consumedAtMs >= row.expiresAtMs)
    throw new TypeError('it was used after its deadline')
  return Object.freeze(row)
}

/** Like `checkRow`, for the columns and rules that rows of both kinds have. */
export function checkColumns(raw: unknown): ApprovalRow {
  const value = raw as Record<keyof ApprovalRow, unknown>
  const row: ApprovalRow = {
    approvalId: requireText('approval_id', value.approvalId, REQUEST_ID_LENGTH_MAX),
    policyHash: requireHash('policy_hash', value.policyHash),
    decisionHash: requireHash('decision_hash', value.decisionHash),
    action: requireText('action', value.action, NAME_LENGTH_MAX),
    agentId: requireText('agent_id', value.agentId, NAME_LENGTH_MAX),
    reason: requireText('reason', value.reason, REASON_LENGTH_MAX, true),
    parametersJson: requireText('parameters_json', value.parametersJson, PARAMETERS_BYTES_MAX),
    createdAtMs: requireTime('created_at_ms', value.createdAtMs),
    expiresAtMs: requireTime('expires_at_ms', value.expiresAtMs),
    state: requireState(value.state),
    approverId: value.approverId === null ? null : requireText('approver_id', value.approverId, NAME_LENGTH_MAX),
    note: value.note === null ? null : requireText('note', value.note, REASON_LENGTH_MAX, true),
    resolvedAtMs: value.resolvedAtMs === null ? null : requireTime('resolved_at_ms', value.resolvedAtMs),
    consumedAtMs: value.consumedAtMs === null ? null : requireTime('consumed_at_ms', value.consumedAtMs),
  }
  const { args, kwargs } = decodeParameters(row.parametersJson)
  if (encodeParameters(args, kwargs) !== row.parametersJson) throw new TypeError('`parameters_json` is not canonical')
  const contradiction = contradictionIn(row)
  if (contradiction !== null) throw new TypeError(contradiction)
  return row
}

/**
 * @param more - the members that only the request of a question has
 * @param leasedUntilMs - the end of the lease of a question, as stored
 * @returns the record for callers, deeply frozen
 */
export function toRecord(
  row: ApprovalRow,
  more: Pick<ApprovalRequest, 'authority' | 'decision' | 'asked'> = {},
  leasedUntilMs: number | null = null,
): ApprovalRecord {
  const { createdAtMs, expiresAtMs, resolvedAtMs, consumedAtMs } = row
  return Object.freeze({
    approvalId: row.approvalId,
    binding: bindingOf(row),
    action: row.action,
    agentId: row.agentId,
    ...decodeParameters(row.parametersJson),
    ...more,
    reason: row.reason,
    get createdAt() {
      return new Date(createdAtMs)
    },
    get expiresAt() {
      return new Date(expiresAtMs)
    },
    state: row.state,
    approverId: row.approverId,
    note: row.note,
    get resolvedAt() {
      return resolvedAtMs === null ? null : new Date(resolvedAtMs)
    },
    get consumedAt() {
      return consumedAtMs === null ? null : new Date(consumedAtMs)
    },
    get leasedUntil() {
      return leasedUntilMs === null ? null : new Date(leasedUntilMs)
    },
  })
}

function contradictionIn(row: ApprovalRow): string | null {
  const { state, createdAtMs, expiresAtMs, resolvedAtMs, consumedAtMs } = row
  if (expiresAtMs <= createdAtMs) return 'it expires before it was created'
  if ((state === 'pending') !== (resolvedAtMs === null)) return `it is ${state}, which contradicts its resolution time`
  if (state === 'pending' && (row.approverId !== null || row.note !== null)) return 'it is pending, but has an answer'
  if (state === 'approved' && resolvedAtMs !== null && resolvedAtMs >= expiresAtMs)
    return 'it was approved after its deadline'
  if (consumedAtMs !== null && state !== 'approved') return `it is ${state}, but was used`
  return null
}

export function requireHash(name: string, value: unknown): Hash {
  if (!isHash(value)) throw new TypeError(`\`${name}\` must be 64 lower-case hex digits`)
  return value
}

export function requireTime(name: string, value: unknown): number {
  return requireInteger(name, value, -INSTANT_MS_MAX, INSTANT_MS_MAX)
}

function requireState(value: unknown): ApprovalState {
  const state = APPROVAL_STATES.find((known) => known === value)
  if (state === undefined) throw new TypeError('`state` is not a valid approval state')
  return state
}
