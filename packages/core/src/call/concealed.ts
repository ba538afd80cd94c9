// Handles calls with concealed arguments. A model can write an argument so that redaction mistakes it for a secret. The
// policy, the approver and the ledger would then not see the call that actually runs.
import { REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import type { OnConcealed } from '../options.js'
import type { ConcealmentNotice } from '../policy/context.js'
import type { PolicyDecision } from '../policy/policy.js'
import { describeConcealed } from '../redaction/concealment.js'
import { Refusal } from './refusal.js'

/**
 * Decides about a call that the policy did not deny.
 *
 * If the policy read `context.concealed`, its `allow` is final. An approver sees the same context as the policy, so a
 * call with concealed arguments is sent to an approver only if `onConcealed` permits it.
 */
export function handleConcealed(
  decision: Exclude<PolicyDecision, 'deny'>,
  { undeclared, wasRead }: ConcealmentNotice,
  onConcealed: OnConcealed,
): OnConcealed {
  const asPolicySaid = decision === 'require_approval' ? 'ask' : 'allow'
  if (undeclared === 0 || onConcealed === 'allow') return asPolicySaid
  return decision === 'allow' && wasRead ? 'allow' : onConcealed
}

export function concealedRefusal({ concealed }: ConcealmentNotice): Refusal {
  const reason = `the arguments contain values that look like secrets but are not declared as secrets: ${describeConcealed(concealed)}`
  return new Refusal({ code: 'ARGUMENTS_CONCEALED', reason })
}

/**
 * Returns the reason for the approval request. It begins with the number of concealed characters. The remark is never
 * shortened.
 */
export function questionOf(reason: string, { concealed }: ConcealmentNotice, remark: string): string {
  if (concealed.length === 0 && remark === '') return reason
  const hidden = concealed.length === 0 ? '' : `${describeConcealed(concealed)}. `
  const behind = remark === '' ? '' : ` [${remark}]`
  return `${`${hidden}${reason}`.slice(0, REASON_LENGTH_MAX - behind.length)}${behind}`.toWellFormed()
}
