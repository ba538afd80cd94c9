// The approval under which a call was allowed, judged by its entry alone.
import { isApprovalLate, isPypiEntry, pypiAsksForApproval } from '@sudoagent/crypto'
import { type ApprovalBlock, approvalOf, type CallEntry } from '../entry/entry.js'
import type { LifecycleProblem } from '../entry/finding.js'

type ApprovalTimes = Pick<ApprovalBlock, 'created_at' | 'resolved_at' | 'expires_at'>

/** Whether an approval says when it was asked for, when it was given, and until when it could be used. */
export const hasTimes = ({ created_at, resolved_at, expires_at }: ApprovalTimes): boolean =>
  created_at !== null && resolved_at !== null && expires_at !== null

const NEVER_APPROVED: LifecycleProblem = {
  code: 'APPROVAL_NOT_APPROVED',
  message: 'allowed without the approval that the policy asked for',
}

/** What is wrong with the approval under which a call was allowed. A denied call needs none, so nothing is asked of it. */
export function approvalProblems(entry: CallEntry): LifecycleProblem[] {
  const { decision } = entry
  const approval = approvalOf(entry)
  if (decision.effect !== 'allow') return []
  if (approval === null) return isPypiEntry(entry) && pypiAsksForApproval(entry) ? [NEVER_APPROVED] : []
  const problems: LifecycleProblem[] = []
  if (approval.state !== 'approved') {
    problems.push({ code: 'APPROVAL_NOT_APPROVED', message: `allowed under an approval that is \`${approval.state}\`` })
  }
  const { binding } = approval
  const bound =
    binding?.request_id === entry.request_id &&
    binding.policy_hash === decision.policy_hash &&
    binding.decision_hash === decision.decision_hash
  if (!bound)
    problems.push({
      code: 'APPROVAL_BINDING_MISMATCH',
      message: 'allowed under an approval that was given for another call',
    })
  if (isApprovalLate(approval, entry.recorded_at ?? null)) {
    problems.push({
      code: 'APPROVAL_EXPIRED',
      message: `allowed under an approval that ended at ${approval.expires_at}`,
    })
  }
  return problems
}
