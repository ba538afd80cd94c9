// Checks the approval of an allowed call against the entry that contains the approval.
import type { Hash } from '@sudoagent/crypto'
import { isApprovalLate, isPypiEntry, pypiAsksForApproval } from '@sudoagent/crypto/entry'
import { type ApprovalBlock, approvalOf, type CallEntry, type KnownApproval } from '../entry/entry.js'
import { NO_PROBLEMS, type Problem } from './line-facts.js'

type ApprovalTimes = Pick<ApprovalBlock, 'created_at' | 'resolved_at' | 'expires_at'>

/** Whether an approval has the times of its request, its answer and its expiry. */
export const hasTimes = ({ created_at, resolved_at, expires_at }: ApprovalTimes): boolean =>
  created_at !== null && resolved_at !== null && expires_at !== null

const NEVER_APPROVED: Problem = {
  code: 'APPROVAL_NOT_APPROVED',
  message: 'allowed without the approval that the policy requires',
}

/**
 * Returns the problems with the approval of an allowed call; empty for a denied call, which does not need an
 * approval.
 */
export function approvalProblemsOf(entry: CallEntry): readonly Problem[] {
  const { decision } = entry
  if (decision.effect !== 'allow') return NO_PROBLEMS
  const approval = approvalOf(entry)
  if (approval === null) return isPypiEntry(entry) && pypiAsksForApproval(entry) ? [NEVER_APPROVED] : NO_PROBLEMS
  return approvalProblems(approval, {
    requestId: entry.request_id,
    policyHash: decision.policy_hash,
    decisionHash: decision.decision_hash,
    recordedAt: entry.recorded_at ?? null,
  })
}

/** The allowed call to which an approval must be bound. */
export interface ApprovedCall {
  readonly requestId: string
  readonly policyHash: string
  readonly decisionHash: Hash
  readonly recordedAt: string | null
}

/** Returns the problems with an approval under which a call was allowed. */
export function approvalProblems(approval: KnownApproval, call: ApprovedCall): readonly Problem[] {
  const problems: Problem[] = []
  if (approval.state !== 'approved') {
    problems.push({ code: 'APPROVAL_NOT_APPROVED', message: `allowed under an approval that is \`${approval.state}\`` })
  }
  const { binding } = approval
  const isBound =
    binding?.request_id === call.requestId &&
    binding.policy_hash === call.policyHash &&
    binding.decision_hash === call.decisionHash
  if (!isBound)
    problems.push({
      code: 'APPROVAL_BINDING_MISMATCH',
      message: 'allowed under an approval that was given for a different call',
    })
  if (isApprovalLate(approval, call.recordedAt)) {
    problems.push({
      code: 'APPROVAL_EXPIRED',
      message: `allowed under an approval that expired at ${approval.expires_at}`,
    })
  }
  return problems
}
