import { readFields, requireText } from '../check.js'
import {
  type ApprovalBinding,
  type ApprovalResolution,
  ApprovalStoreError,
  type ApprovalStoreErrorCode,
  NAME_LENGTH_MAX,
  parseBinding,
  REASON_LENGTH_MAX,
  sameBinding,
} from './approval.js'
import { isQuestion } from './question-row.js'
import { type ApprovalRow, bindingOf } from './row.js'

/**
 * Implements the approval states as pure functions on rows:
 *
 *     pending ──► approved ──► (used, once)
 *        │            ├──► expired   used too late; not for a question, whose use only follows the ledger
 *        │            └──► failed    used for a different call
 *        ├──► denied
 *        ├──► expired   no answer before the deadline
 *        └──► failed    the answer was for a different call, or no answer is possible any more
 *
 * A refusal can also change the row. The new row is stored before the refusal is thrown, so a refused approval stays
 * refused, even if the clock goes back.
 */
export interface Transition {
  readonly row: ApprovalRow
  readonly refusal: ApprovalStoreErrorCode | null
}

/** A validated resolution. */
export interface CheckedResolution {
  readonly state: ApprovalResolution['state']
  readonly approverId: string | null
  readonly note: string | null
  readonly binding: ApprovalBinding | null
}

/**
 * Returns the row as of `nowMs`. If the deadline of a pending row has passed, the returned row is expired, with the
 * deadline as its resolution time.
 */
export function rowAt(row: ApprovalRow, nowMs: number): ApprovalRow {
  if (row.state !== 'pending' || nowMs < row.expiresAtMs) return row
  return { ...row, state: 'expired', resolvedAtMs: row.expiresAtMs }
}

/** Settles a pending row. */
export function settle(stored: ApprovalRow, resolution: CheckedResolution, nowMs: number): Transition {
  const row = rowAt(stored, nowMs)
  if (resolution.binding !== null && !sameBinding(bindingOf(row), resolution.binding)) {
    const note = 'the answer was for a different call'
    const failed = { ...row, state: 'failed', approverId: resolution.approverId, note, resolvedAtMs: nowMs } as const
    return { row: row.state === 'pending' ? failed : row, refusal: 'APPROVAL_BINDING_MISMATCH' }
  }
  if (row.state === 'pending') {
    const { state, approverId, note } = resolution
    return { row: { ...row, state, approverId, note, resolvedAtMs: nowMs }, refusal: null }
  }
  if (row.state === resolution.state) return { row, refusal: null }
  return { row, refusal: row.state === 'expired' ? 'APPROVAL_EXPIRED' : 'APPROVAL_ALREADY_RESOLVED' }
}

/** Marks an approved row as used, which can happen only once. */
export function use(stored: ApprovalRow, binding: ApprovalBinding, nowMs: number): Transition {
  const row = rowAt(stored, nowMs)
  const usable = row.state === 'approved' && row.consumedAtMs === null
  if (!sameBinding(bindingOf(row), binding)) {
    // The approval was presented for a different call, so it becomes unusable for every call.
    const failed = { ...row, state: 'failed', resolvedAtMs: row.resolvedAtMs ?? nowMs } as const
    return { row: usable || row.state === 'pending' ? failed : row, refusal: 'APPROVAL_BINDING_MISMATCH' }
  }
  if (row.consumedAtMs !== null) return { row, refusal: 'APPROVAL_ALREADY_USED' }
  if (row.state === 'expired') return { row, refusal: 'APPROVAL_EXPIRED' }
  if (!usable) return { row, refusal: 'APPROVAL_NOT_APPROVED' }
  if (nowMs >= row.expiresAtMs && !isQuestion(row))
    return { row: { ...row, state: 'expired' }, refusal: 'APPROVAL_EXPIRED' }
  return { row: { ...row, consumedAtMs: nowMs }, refusal: null }
}

/** Validates a resolution. @throws TypeError if the resolution is invalid */
export function checkResolution(value: unknown): CheckedResolution {
  const fields = readFields('approval resolution', value, ['state', 'approverId', 'note', 'binding'])
  const state = fields.get('state')
  if (state !== 'approved' && state !== 'denied' && state !== 'expired' && state !== 'failed') {
    throw new TypeError('`state` of a resolution must be `approved`, `denied`, `expired` or `failed`')
  }
  const approverId = fields.get('approverId') ?? null
  const note = fields.get('note') ?? null
  const binding = fields.get('binding') ?? null
  return {
    state,
    approverId: approverId === null ? null : requireText('approverId', approverId, NAME_LENGTH_MAX),
    note: note === null ? null : requireText('note', note, REASON_LENGTH_MAX, true),
    binding: binding === null ? null : parseBinding(binding),
  }
}

/** Creates the error for a refusal. The message does not contain the approval id, because the caller knows the id. */
export function refusalError(code: ApprovalStoreErrorCode): ApprovalStoreError {
  return new ApprovalStoreError(code, MESSAGES[code])
}

const MESSAGES: Readonly<Record<ApprovalStoreErrorCode, string>> = {
  APPROVAL_NOT_FOUND: 'there is no approval with this id',
  APPROVAL_EXPIRED: 'the approval has expired',
  APPROVAL_ALREADY_RESOLVED: 'the approval was already resolved differently',
  APPROVAL_ALREADY_USED: 'the approval has already been used',
  APPROVAL_NOT_APPROVED: 'the call was not approved',
  APPROVAL_BINDING_MISMATCH: 'the approval is bound to a different call',
  APPROVAL_STORE_FAILED: 'the approval store failed',
}
