// The errors that a caller gets instead of a result. Each of them means that the function did not run.
import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
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

const HINTS: ReadonlyMap<string, string> = new Map<ReasonCode, string>([
  [
    'POLICY_EVALUATION_FAILED',
    '`cause` says what the policy did: it must answer in time with allow, deny or require_approval',
  ],
  ['BUDGET_EXCEEDED_AGENT_RATE', 'retry when enough charges have left the window, or raise `perAgent`'],
  ['BUDGET_EXCEEDED_TOOL_RATE', 'retry when enough charges have left the window, or raise `perTool`'],
  ['BUDGET_EVALUATION_FAILED', '`cause` says what the budget store did: check the store'],
  ['APPROVAL_DENIED', 'change the call, or ask the approver why'],
  ['APPROVAL_PROCESS_FAILED', '`cause` says what the approver or the approval store did'],
  ['LEDGER_WRITE_FAILED_DECISION', '`cause` says what the ledger or the audit log did'],
  ['PARAMETERS_CHANGED', 'do not change the arguments before the call is decided'],
  ['PARAMETERS_INVALID', 'pass plain data without NaN and cycles, within the limits of depth and size'],
  ['QUESTIONS_FULL', 'answer the open approvals first: `sudoagent approvals list`'],
  ['CLOCK_BEHIND_LEDGER', 'correct the clock, or start a new ledger'],
  ['ARGUMENTS_CONCEALED', 'declare secrets with `redaction`, or set `onConcealed`'],
  ['BOUNDARY_FAILED', '`cause` says what failed: an option of the engine, such as `clock`, or a bug'],
])

/** The action of a denied call, and the cause of the denial. */
export type DenialDetails = Pick<ErrorDetails, 'action' | 'cause'>

/**
 * The base class of all denials: the function did not run. `code` is the reason code; `denial` has the same facts in
 * the form for adapters, as `SudoEngine.authorize` returns it.
 */
export abstract class CallDenied extends SudoAgentError<DenialCode> {
  readonly reason: string
  declare readonly requestId: string
  readonly decisionHash: string | null
  readonly denial: Denial

  constructor(denial: Denial, { action, cause }: DenialDetails = {}) {
    const { code, reason, requestId } = denial
    const below = cause instanceof SudoAgentError ? cause.hint : undefined
    super(code, reason, { hint: below ?? HINTS.get(code), action, requestId, cause })
    this.reason = reason
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
export class CallCancelled extends SudoAgentError {
  override readonly name = 'CallCancelled'

  /** @throws TypeError when the code is not upper-case letters, digits and `_`, at most 64 */
  constructor(code: string, reason: string) {
    super(code, reason)
    if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code))
      throw new TypeError('`code` must be a reason code')
  }
}

/** The policy, an approver or a budget denied the call, or its arguments changed after the decision. */
export class ApprovalDenied extends CallDenied {
  override readonly name = 'ApprovalDenied'
}

/** The policy threw, exceeded its time limit, or returned an invalid result. `cause` is the error. */
export class PolicyError extends CallDenied {
  override readonly name = 'PolicyError'
  declare readonly code: 'POLICY_EVALUATION_FAILED'
}

/** The approver or the approval store failed. `cause` is the error. */
export class ApprovalError extends CallDenied {
  override readonly name = 'ApprovalError'
  declare readonly code: 'APPROVAL_PROCESS_FAILED'
}

/** The decision could not be recorded in the ledger or in the audit log. `cause` is the error. */
export class AuditLogError extends CallDenied {
  override readonly name = 'AuditLogError'
  declare readonly code: 'LEDGER_WRITE_FAILED_DECISION'
}

/**
 * The arguments cannot be recorded: NaN, a cycle, too deep, too large, a getter that throws. `message` names the
 * argument.
 */
export class ParametersError extends CallDenied {
  override readonly name = 'ParametersError'
  declare readonly code: 'PARAMETERS_INVALID'
}

/** The boundary itself failed, before or while it recorded the decision. `cause` is the error. */
export class BoundaryError extends CallDenied {
  override readonly name = 'BoundaryError'
  declare readonly code: 'BOUNDARY_FAILED'
}
