/**
 * The one form in which a model reads a denial, whatever the framework.
 *
 * A model that reads "error, try again" tries again. So the text always has three parts, in this order: the call was
 * denied, and by what; why; and the same call must not be made again. It has nothing else: no cause, no path, no
 * stack trace, and no id, because the request id is also the approval's, and nothing that a model sees may help to
 * approve anything.
 *
 * @example
 * denialText(denial)
 * // This call was denied by policy, so it did not run. Reason: above the limit of 100. Do not repeat it unchanged.
 */
import { type Denial, SudoAgentError } from '@sudoagent/core'

/**
 * Long enough for any reason that a person wrote; a model's context is not the place for more. The ledger has all of
 * it.
 */
const REASON_LENGTH_MAX = 500

/** The beginning of a reason code, and the words for it after “This call was”. A policy's own code is the policy's. */
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

/** One line for the model. */
export function denialText({ code, reason }: Pick<Denial, 'code' | 'reason'>): string {
  const denied = DENIED_BY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'denied by policy'
  return `This call was ${denied}, so it did not run. Reason: ${oneLine(reason)}. Do not repeat it unchanged.`
}

/** A reason may be an approver's note: line ends in it could look like words of another speaker. */
function oneLine(reason: string): string {
  const line = reason.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const cut = line.length <= REASON_LENGTH_MAX ? line : `${line.slice(0, REASON_LENGTH_MAX - 1)}…`
  return cut.toWellFormed().replace(/[.\s]+$/, '')
}

/**
 * For frameworks in which a denial is an exception: the model sees its message, `denial` is for the program. It has no
 * cause.
 */
export class ToolDenied extends SudoAgentError {
  override readonly name = 'ToolDenied'
  readonly denial: Denial

  constructor(denial: Denial) {
    super(denial.code, denialText(denial), { requestId: denial.requestId })
    this.denial = denial
  }
}
