// The approval block of a decision entry.
import { type ApprovalBlock, formatTimestamp, timestampMs } from '@sudoagent/ledger/entry'
import type { ApprovalRecord, ApprovalRequest, ApprovalState } from '../approval/approval.js'
import type { DecisionRequest } from '../call/decision.js'
import { questionMembers, type RecordedQuestion } from './question-step.js'

type BlockFacts = Pick<
  ApprovalRecord,
  'approvalId' | 'binding' | 'createdAt' | 'expiresAt' | 'approverId' | 'resolvedAt'
>

/** The facts of a request that its block states. */
export const factsOf = ({ approvalId, binding, createdAt, expiresAt }: ApprovalRequest) => ({
  approvalId,
  binding,
  createdAt,
  expiresAt,
})

/** The ledger's approval block. @param question - null if the ledger does not record questions */
export function blockOf(
  { approvalId, binding, createdAt, expiresAt, approverId, resolvedAt }: BlockFacts,
  state: ApprovalState,
  question: RecordedQuestion | null,
): ApprovalBlock {
  return {
    approval_id: approvalId,
    state,
    approver_id: approverId,
    created_at: question?.entry.recordedAt ?? formatTimestamp(createdAt),
    resolved_at: resolvedAt === null ? null : formatTimestamp(resolvedAt),
    expires_at: question?.entry.expiresAt ?? formatTimestamp(expiresAt),
    binding: { request_id: binding.requestId, policy_hash: binding.policyHash, decision_hash: binding.decisionHash },
    ...questionMembers(question),
  }
}

/** The times of a question, as its entry has them. */
export const timesOf = ({ entry }: RecordedQuestion): { readonly createdAt: Date; readonly expiresAt: Date } => ({
  createdAt: new Date(timestampMs(entry.recordedAt)),
  expiresAt: new Date(timestampMs(entry.expiresAt)),
})

/**
 * The approval block of a call that was refused after its question was recorded and before an approver was asked; null
 * without a question.
 */
export function unansweredBlock(call: DecisionRequest, question: RecordedQuestion | null): ApprovalBlock | null {
  if (question === null) return null
  const { requestId } = call.context
  const binding = { requestId, policyHash: call.policy.policyHash, decisionHash: call.decisionHash }
  const facts = { approvalId: requestId, binding, ...timesOf(question), approverId: null, resolvedAt: null }
  return blockOf(facts, 'failed', question)
}
