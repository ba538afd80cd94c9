/**
 * The one form in which a model hears of a denial, whatever the framework.
 *
 * A model that is told "error, try again" tries again. So the text says three things, always, in this order: that the
 * call was denied, and by what; why; and that the same call must not be made again. It holds nothing else: no cause,
 * no path, no stack trace, and no id, because the request id is also the approval's, and nothing that a model sees
 * may be of use to approve anything.
 *
 * @example
 * denialText(denial) // This call was denied by policy and did not run. Reason: above the limit of 100. Do not repeat it unchanged.
 */
import type { Denial } from '@sudoagent/core'

/**
 * Long enough for any reason that a person wrote; a model's context is not the place for more. The ledger has all of
 * it.
 */
const REASON_LENGTH_MAX = 500

/** What said no, by the beginning of the reason code. A policy's own code is the policy's. */
const DENIED_BY: readonly (readonly [prefix: string, by: string])[] = [
  ['POLICY_EVALUATION_FAILED', 'because the policy could not be evaluated'],
  ['APPROVAL_PROCESS_FAILED', 'because approval could not be asked for'],
  ['APPROVAL_', 'because it was not approved'],
  ['QUESTIONS_FULL', 'because too many calls wait for an approval'],
  ['CLOCK_BEHIND_LEDGER', 'because approval could not be asked for'],
  ['BUDGET_EVALUATION_FAILED', 'because the budget could not be read'],
  ['BUDGET_EXCEEDED_', 'by the budget'],
  ['LEDGER_', 'because it could not be put on record'],
  ['PARAMETERS_', 'because of its arguments'],
  ['BOUNDARY_', 'because the boundary failed'],
]

/** One line for the model. */
export function denialText({ code, reason }: Pick<Denial, 'code' | 'reason'>): string {
  const by = DENIED_BY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'by policy'
  return `This call was denied ${by} and did not run. Reason: ${oneLine(reason)}. Do not repeat it unchanged.`
}

/** A reason may be an approver's note: line ends in it could look like words of another speaker. */
function oneLine(reason: string): string {
  const line = reason.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const cut = line.length <= REASON_LENGTH_MAX ? line : `${line.slice(0, REASON_LENGTH_MAX - 1)}…`
  return cut.toWellFormed().replace(/[.\s]+$/, '')
}

/**
 * For frameworks that hear of a denial by an exception: its message is what the model sees, `denial` is for the
 * program. It has no cause.
 */
export class ToolDenied extends Error {
  override readonly name = 'ToolDenied'
  readonly denial: Denial

  constructor(denial: Denial) {
    super(denialText(denial))
    this.denial = denial
  }
}
