// The errors that a caller gets instead of a result. Each of them means that the function did not run.
import type { ReasonCode } from './policy/reason-code.js'

/** A code of this package, or a policy's own reason code. */
export type DenialCode = ReasonCode | (string & {})

/** A denial, in the common form from which adapters make the message for their framework's model. */
export interface Denial {
  readonly status: 'denied'
  readonly code: DenialCode
  readonly reason: string
  /**
   * Whether the same call may succeed later: an exhausted budget or a failed store can recover, a policy's denial
   * does not change.
   */
  readonly retryable: boolean
  readonly requestId: string
  /** Null only when the call was refused before its decision hash was computed. */
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
 * Makes a denial from the facts of a call.
 *
 * @param retryable - default: depends on the code
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

/** The function did not run. `code` is the reason code; `denial` has the same facts in the form for adapters. */
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
 * The reason of an aborted signal, for a program that cancels a call that waits for an approval: the denial is
 * recorded with this code. Any other reason is recorded as a cancellation by the caller (`APPROVAL_DENIED`).
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

/** The policy, an approver or a budget denied the call, or its arguments changed after the decision. */
export class ApprovalDenied extends SudoAgentError {
  override readonly name = 'ApprovalDenied'
}

/** The policy threw, exceeded its time limit, or returned an invalid result. `cause` is the error. */
export class PolicyError extends SudoAgentError {
  override readonly name = 'PolicyError'
  declare readonly code: 'POLICY_EVALUATION_FAILED'
}

/** The approver or the approval store failed. `cause` is the error. */
export class ApprovalError extends SudoAgentError {
  override readonly name = 'ApprovalError'
  declare readonly code: 'APPROVAL_PROCESS_FAILED'
}

/** The decision could not be recorded in the ledger or in the audit log. `cause` is the error. */
export class AuditLogError extends SudoAgentError {
  override readonly name = 'AuditLogError'
  declare readonly code: 'LEDGER_WRITE_FAILED_DECISION'
}

/**
 * The arguments cannot be recorded: NaN, a cycle, too deep, too large, a getter that throws. `message` names the
 * argument.
 */
export class ParametersError extends SudoAgentError {
  override readonly name = 'ParametersError'
  declare readonly code: 'PARAMETERS_INVALID'
}
