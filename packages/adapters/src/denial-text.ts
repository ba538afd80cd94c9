/**
 * The text that tells a model about a denial. The text is the same for every framework.
 *
 * A model that reads "error, try again" tries again. The text therefore always states what denied the call and why,
 * and then tells the model not to repeat the call; the exception is a call that waits for an approval. The text does
 * not contain a cause, a path, a stack trace or the request ID. The request ID also identifies the approval, and a
 * model must not see anything that could help it to approve a call.
 *
 * @example
 * denialText(denial)
 * // This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK). Reason: the limit is 100. Do not repeat
 * // this call unchanged.
 */
import { type Denial, SudoAgentError } from '@sudoagent/core'

/**
 * The maximum length of a reason: more than most reasons need, but short enough for a model's context. The ledger
 * contains the full reason.
 */
const REASON_LENGTH_MAX = 500

/**
 * Maps reason code prefixes to the words that follow “This call was”. Codes with any other prefix come from a policy.
 */
const DENIED_BY: readonly (readonly [prefix: string, denied: string])[] = [
  ['POLICY_EVALUATION_FAILED', 'denied because the policy could not be evaluated'],
  ['APPROVAL_PROCESS_FAILED', 'denied because approval could not be requested'],
  ['APPROVAL_EXPIRED', 'not approved in time'],
  ['APPROVAL_ALREADY_USED', 'already decided by another process'],
  ['APPROVAL_', 'not approved'],
  ['CALL_DECIDED', 'already decided'],
  ['CALL_CANCELLED', 'cancelled before it was approved'],
  ['QUESTIONS_FULL', 'denied because too many calls are waiting for approval'],
  ['CLOCK_BEHIND_LEDGER', 'denied because approval could not be requested'],
  ['BUDGET_EVALUATION_FAILED', 'denied because the budget could not be checked'],
  ['BUDGET_EXCEEDED_', 'denied because it would exceed the budget'],
  ['LEDGER_', 'denied because it could not be recorded'],
  ['PARAMETERS_', 'denied because of its arguments'],
  ['AUTHORITY_INVALID', 'denied because its subject is not valid'],
  ['STOPPED', 'denied because an operator stopped such calls'],
  ['BOUNDARY_', 'denied because the authorization check failed'],
]

/** Returns the denial as one line of text for the model. */
export function denialText({ code, reason }: Pick<Denial, 'code' | 'reason'>): string {
  if (code === 'APPROVAL_PENDING')
    return `This call waits for the approval of a person and has not run (${code}). To get the answer, repeat it later with exactly the same arguments.`
  const denied = DENIED_BY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'denied by policy'
  return `This call was ${denied}, so it did not run${code === '' ? '' : ` (${oneLine(code)})`}. Reason: ${oneLine(reason)}. Do not repeat this call unchanged.`
}

/** A reason may be an approver's note. Line breaks in a note could make part of it look like a separate message. */
function oneLine(reason: string): string {
  const line = reason.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const cut = line.length <= REASON_LENGTH_MAX ? line : `${line.slice(0, REASON_LENGTH_MAX - 1)}…`
  return cut.toWellFormed().replace(/[.\s]+$/, '')
}

/**
 * The error for frameworks in which a denial is an exception. The model sees the message, and the program reads
 * `denial`. The error has no `cause`.
 */
export class ToolDenied extends SudoAgentError {
  override readonly name = 'ToolDenied'
  readonly denial: Denial

  constructor(denial: Denial) {
    super(denial.code, denialText(denial), { requestId: denial.requestId })
    this.denial = denial
  }
}
