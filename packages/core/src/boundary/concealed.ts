// What becomes of a call whose arguments are not all shown. A model can write what it wants to hide where redaction takes it for a
// secret; a policy, an approver and the ledger then decide about another call than the one that runs.
import { REASON_LENGTH_MAX } from '@sudoagent/ledger'
import type { OnConcealed } from '../options.js'
import type { ConcealmentNotice } from '../policy/context.js'
import type { PolicyDecision } from '../policy/policy.js'
import { describeConcealed } from '../redaction/concealment.js'
import { Refusal } from './refusal.js'

/**
 * What happens with a call that the policy did not deny.
 *
 * A policy that read `context.concealed` knew what it did not see, and its `allow` counts. An approver sees the same as the
 * policy, so that a question about concealed arguments is asked only where the operator says so.
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
  const reason = `the arguments hide something that no option declares a secret: ${describeConcealed(concealed)}`
  return new Refusal({ code: 'ARGUMENTS_CONCEALED', reason })
}

/** What the approver is asked: first of all, how much is not shown; a remark is never cut off. */
export function questionOf(reason: string, { concealed }: ConcealmentNotice, remark: string): string {
  if (concealed.length === 0 && remark === '') return reason
  const hidden = concealed.length === 0 ? '' : `${describeConcealed(concealed)}. `
  const behind = remark === '' ? '' : ` [${remark}]`
  return `${`${hidden}${reason}`.slice(0, REASON_LENGTH_MAX - behind.length)}${behind}`.toWellFormed()
}
