// Defines the errors that a caller gets instead of a result. Each error means that the function did not run.
import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
import type { ReasonCode } from './policy/reason-code.js'

/** A code defined by this package, or a policy's own reason code. */
export type DenialCode = ReasonCode | (string & {})

/** A denial in a common form. Each adapter converts the denial to a message for the model. */
export interface Denial {
  readonly status: 'denied'
  readonly code: DenialCode
  readonly reason: string
  /**
   * Whether the same call may succeed later. An exhausted budget or a failed store can recover; a denial by the policy
   * is final.
   */
  readonly retryable: boolean
  readonly requestId: string
  /** Null only if the call was refused before the decision hash was computed. */
  readonly decisionHash: string | null
}

const RETRYABLE: ReadonlySet<string> = new Set<ReasonCode>([
  'BUDGET_EXCEEDED_AGENT_RATE',
  'BUDGET_EXCEEDED_TOOL_RATE',
  'BUDGET_EVALUATION_FAILED',
  'APPROVAL_PROCESS_FAILED',
  'APPROVAL_EXPIRED',
  'APPROVAL_STALE',
  'QUESTIONS_FULL',
  'CLOCK_BEHIND_LEDGER',
  'LEDGER_WRITE_FAILED_DECISION',
])

/**
 * Creates a denial.
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
    'see `cause`; a policy must return allow, deny or require_approval before the time limit',
  ],
  ['BUDGET_EXCEEDED_AGENT_RATE', 'retry after enough charges have left the window, or raise `perAgent`'],
  ['BUDGET_EXCEEDED_TOOL_RATE', 'retry after enough charges have left the window, or raise `perTool`'],
  ['BUDGET_EVALUATION_FAILED', 'see `cause`, and check the budget store'],
  ['APPROVAL_DENIED', 'change the call, or ask the approver why'],
  ['APPROVAL_EXPIRED', 'repeat the call to ask again'],
  ['APPROVAL_ALREADY_USED', 'repeat the call with a new request id to ask again'],
  [
    'APPROVAL_NOT_FOUND',
    'resume with the id and the arguments of the call that asked, or repeat the call to ask again',
  ],
  ['APPROVAL_STALE', 'repeat the call to ask again'],
  ['CALL_CANCELLED', 'repeat the call if it is still needed'],
  ['CALL_DECIDED', '`sudoagent show` shows the recorded decision of the request id'],
  ['APPROVAL_PROCESS_FAILED', 'see `cause`, and check the approver and the approval store'],
  ['LEDGER_WRITE_FAILED_DECISION', 'see `cause`, and check the ledger and the audit log'],
  ['PARAMETERS_CHANGED', 'do not change the arguments while the call waits for a decision'],
  ['PARAMETERS_INVALID', 'pass plain data without NaN or cycles, within the depth and size limits'],
  ['AUTHORITY_INVALID', 'pass IDs of 1 to 256 characters, without control characters, cookies or tokens'],
  ['QUESTIONS_FULL', 'answer open approvals, then retry; `sudoagent approvals list` shows them'],
  ['CLOCK_BEHIND_LEDGER', 'correct the system clock, or start a new ledger'],
  ['ARGUMENTS_CONCEALED', 'declare secrets with `redaction`, or set `onConcealed`'],
  ['STOPPED', '`sudoagent stops` lists the open stops, `sudoagent resume` ends one'],
  ['BOUNDARY_FAILED', 'see `cause`: an engine option such as `clock` threw, or there is a bug'],
])

/** The action of a denied call, and the cause of the denial. */
export type DenialDetails = Pick<ErrorDetails, 'action' | 'cause'>

/**
 * The base class of all denials. The function did not run. `code` is the reason code. `denial` contains the same facts
 * in the form that `SudoEngine.authorize` returns to adapters.
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
 * An abort reason with which a program cancels a call that waits for an approval. The denial is recorded with this
 * code. Any other abort reason is recorded as a cancellation by the caller (`CALL_CANCELLED`).
 *
 * @example controller.abort(new CallCancelled('SERVER_ENDED', 'the server ended while an approval was open'))
 */
export class CallCancelled extends SudoAgentError {
  override readonly name = 'CallCancelled'

  /** @throws TypeError if the code does not consist of at most 64 upper-case letters, digits and `_` */
  constructor(code: string, reason: string) {
    super(code, reason)
    if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code))
      throw new TypeError('`code` must be a reason code')
  }
}

/** The policy, an approver or a budget denied the call, or the call's arguments changed after the decision. */
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
 * The arguments or the authority of the call cannot be recorded, for example because of NaN, a cycle, their depth or
 * size, a getter that throws, or an id with control characters. `message` names the argument or the member.
 */
export class ParametersError extends CallDenied {
  override readonly name = 'ParametersError'
  declare readonly code: 'PARAMETERS_INVALID' | 'AUTHORITY_INVALID'
}

/** The boundary itself failed before or while it recorded the decision. `cause` is the error. */
export class BoundaryError extends CallDenied {
  override readonly name = 'BoundaryError'
  declare readonly code: 'BOUNDARY_FAILED'
}
