// What a caller gets instead of a result. Every one of these means: the function did not run.
import type { ReasonCode } from './policy/reason-code.js'

/** One of ours, or the reason code that a policy brought. */
export type DenialCode = ReasonCode | (string & {})

/** The one form of a denial that adapters map onto what their framework shows the model. */
export interface Denial {
  readonly status: 'denied'
  readonly code: DenialCode
  readonly reason: string
  /** Whether the same call may succeed later unchanged: a used-up budget or a broken store can recover, a policy's no stays one. */
  readonly retryable: boolean
  readonly requestId: string
  /** Null only when the call was refused before there was anything to hash. */
  readonly decisionHash: string | null
}

const RETRYABLE: ReadonlySet<string> = new Set<ReasonCode>([
  'BUDGET_EXCEEDED_AGENT_RATE',
  'BUDGET_EXCEEDED_TOOL_RATE',
  'BUDGET_EVALUATION_FAILED',
  'APPROVAL_PROCESS_FAILED',
  'QUESTIONS_FULL',
  'CLOCK_BEHIND_LEDGER',
  'LEDGER_WRITE_FAILED_DECISION',
])

/**
 * What every error of the boundary says, made once from the facts of the call.
 *
 * @param retryable - where the code alone does not say it
 */
export function makeDenial(
  code: DenialCode,
  reason: string,
  requestId: string,
  decisionHash: string | null,
  retryable = RETRYABLE.has(code),
): Denial {
  return Object.freeze({ status: 'denied', code, reason, retryable, requestId, decisionHash })
}

/** The function did not run. `code` is the reason code; `denial` is the same in the form for adapters. */
export abstract class SudoAgentError extends Error {
  readonly code: DenialCode
  readonly reason: string
  readonly requestId: string
  readonly decisionHash: string | null
  readonly denial: Denial

  constructor(denial: Denial, cause?: unknown) {
    super(denial.reason, cause === undefined ? undefined : { cause })
    this.code = denial.code
    this.reason = denial.reason
    this.requestId = denial.requestId
    this.decisionHash = denial.decisionHash
    this.denial = denial
  }
}

/**
 * Why a program gives up a call that waits for an approval, as `reason` of the aborted signal: the record then says so, under this code.
 * Any other reason is recorded as the caller's own cancellation (`APPROVAL_DENIED`).
 *
 * @example controller.abort(new CallCancelled('SERVER_ENDED', 'the server ended while an approval was open'))
 */
export class CallCancelled extends Error {
  override readonly name = 'CallCancelled'
  readonly code: string

  /** @throws TypeError when the code is not upper-case letters, digits and `_`, at most 64 */
  constructor(code: string, reason: string) {
    super(reason)
    if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code))
      throw new TypeError('`code` must be a reason code')
    this.code = code
  }
}

/** The policy, an approver or a budget said no; so did the engine when the arguments changed under it. */
export class ApprovalDenied extends SudoAgentError {
  override readonly name = 'ApprovalDenied'
}

/** The policy threw, took too long, or returned something that is no result. `cause` says what. */
export class PolicyError extends SudoAgentError {
  override readonly name = 'PolicyError'
  declare readonly code: 'POLICY_EVALUATION_FAILED'
}

/** The approver or the approval store failed. `cause` says how. */
export class ApprovalError extends SudoAgentError {
  override readonly name = 'ApprovalError'
  declare readonly code: 'APPROVAL_PROCESS_FAILED'
}

/** The decision could not be put on record, in the ledger or in the audit log. `cause` says why. */
export class AuditLogError extends SudoAgentError {
  override readonly name = 'AuditLogError'
  declare readonly code: 'LEDGER_WRITE_FAILED_DECISION'
}

/** The arguments cannot be put on record: NaN, a cycle, too deep, too large, a getter that throws. `message` names the place. */
export class ParametersError extends SudoAgentError {
  override readonly name = 'ParametersError'
  declare readonly code: 'PARAMETERS_INVALID'
}
