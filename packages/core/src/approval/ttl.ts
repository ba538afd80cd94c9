// Validates the time limits of approvals.
import { memberOf, requireInteger } from '../check.js'
import { APPROVAL_TTL_MS_MAX, QUESTION_TTL_MS_MAX } from './approval.js'

/**
 * Validates a time limit for approvals. A limit above the maximum is rejected, not reduced.
 *
 * @returns `ttlMs`
 * @throws TypeError if it is not a positive integer; RangeError if it is above `APPROVAL_TTL_MS_MAX`
 */
export function requireApprovalTtlMs(ttlMs: unknown, maxMs = APPROVAL_TTL_MS_MAX): number {
  const ms = requireInteger('approvalTtlMs', ttlMs, 1)
  if (ms > maxMs) throw new RangeError(`\`approvalTtlMs\` is ${ms}, the maximum is ${maxMs}`)
  return ms
}

/**
 * Validates the time limit of an engine, which may be longer than that of a call if the ledger records questions.
 *
 * @throws TypeError for more than an hour if it does not; RangeError for more than `QUESTION_TTL_MS_MAX`
 */
export function requireEngineTtlMs(value: unknown, ledger: object): number {
  const ms = requireApprovalTtlMs(value, QUESTION_TTL_MS_MAX)
  if (supportsTtlMs(ledger, ms)) return ms
  throw new TypeError('`approvalTtlMs` of more than an hour requires a ledger that records questions (`ask`)')
}

/** Whether approvals over this ledger may have this time limit. More than an hour requires recorded questions. */
export const supportsTtlMs = (ledger: object, ms: number): boolean =>
  ms <= APPROVAL_TTL_MS_MAX || typeof memberOf(ledger, 'ask') === 'function'
