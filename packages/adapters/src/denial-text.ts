/**
 * The text of a denial for the model, the same for every framework.
 *
 * A model that reads "error, try again" tries again. The text therefore always has three parts in this order: the
 * component that denied the call; the reason; and the instruction not to repeat the call. It contains no cause, path or
 * stack trace, and no ID, because the request ID is also that of the approval, and a model must not see anything that
 * helps to approve a call.
 * approve anything.
 *
 * @example
 * denialText(denial)
 * // This call was denied by policy, so it did not run. Reason: above the limit of 100. Do not repeat it unchanged.
 */
import { type Denial, SudoAgentError } from '@sudoagent/core'

/** Longer than most reasons, but short enough for a model's context. The ledger contains the full reason. */
const REASON_LENGTH_MAX = 500

/** Prefixes of reason codes, and the words for them after “This call was”. Other codes come from a policy. */
const DENIED_BY: readonly (readonly [prefix: string, denied: string])[] = [
  ['POLICY_EVALUATION_FAILED', 'denied because the policy could not be evaluated'],
  ['APPROVAL_PROCESS_FAILED', 'denied because approval could not be requested'],
  ['APPROVAL_', 'not approved'],
  ['QUESTIONS_FULL', 'denied because too many calls are waiting for approval'],
  ['CLOCK_BEHIND_LEDGER', 'denied because approval could not be requested'],
  ['BUDGET_EVALUATION_FAILED', 'denied because the budget could not be checked'],
  ['BUDGET_EXCEEDED_', 'denied because it would exceed the budget'],
  ['LEDGER_', 'denied because it could not be recorded'],
  ['PARAMETERS_', 'denied because of its arguments'],
  ['BOUNDARY_', 'denied because the authorization check failed'],
]

/** Returns one line for the model. */
export function denialText({ code, reason }: Pick<Denial, 'code' | 'reason'>): string {
  const denied = DENIED_BY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'denied by policy'
  return `This call was ${denied}, so it did not run. Reason: ${oneLine(reason)}. Do not repeat it unchanged.`
}

/** A reason may be an approver's note, whose line breaks could imitate another speaker. */
function oneLine(reason: string): string {
  const line = reason.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const cut = line.length <= REASON_LENGTH_MAX ? line : `${line.slice(0, REASON_LENGTH_MAX - 1)}…`
  return cut.toWellFormed().replace(/[.\s]+$/, '')
}

/**
 * For frameworks in which a denial is an exception: the model sees its message, and the program reads `denial`. It has
 * no cause.
 */
export class ToolDenied extends SudoAgentError {
  override readonly name = 'ToolDenied'
  readonly denial: Denial

  constructor(denial: Denial) {
    super(denial.code, denialText(denial), { requestId: denial.requestId })
    this.denial = denial
  }
}
