// Checks the approval of an allowed call against the entry that contains the approval.
import { CryptoError, type Hash } from '@sudoagent/crypto'
import { isApprovalLate, isPypiEntry, pypiAsksForApproval } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import {
  type ApprovalBlock,
  approvalOf,
  type CallEntry,
  type DecisionBlock,
  type KnownApproval,
} from '../entry/entry.js'
import { memberText, nestedTexts, type ParsedLine } from '../entry/line.js'
import { type Answer, NO_PROBLEMS, type Problem } from './line-facts.js'

type ApprovalTimes = Pick<ApprovalBlock, 'created_at' | 'resolved_at' | 'expires_at'>

/** Whether an approval has the times of its request, its answer and its expiry. */
export const hasTimes = ({ created_at, resolved_at, expires_at }: ApprovalTimes): boolean =>
  created_at !== null && resolved_at !== null && expires_at !== null

/**
 * The part of an approval that is compared with its question; null for an approval without a requirement.
 *
 * @param approval - the block of a draft, of which only the shape of the older members has been checked
 * @param commitment - the canonical text of the commitment of the decision
 */
export function answerOf(approval: object | null | undefined, commitment: string | null): Answer | null {
  if (approval === null || approval === undefined || !Object.hasOwn(approval, 'requirement')) return null
  const { approval_id: id, requirement, expires_at: expiresAt, redacted } = approval as { [name: string]: unknown }
  return {
    approvalId: typeof id === 'string' ? id : null,
    requirement: textOf(requirement),
    expiresAt: typeof expiresAt === 'string' ? expiresAt : null,
    redacted: Number.isSafeInteger(redacted) && !Object.is(redacted, -0) ? (redacted as number) : null,
    commitment,
  }
}

/** Like `answerOf`, for the decision of a stored line. Numbers that `JSON.parse` rounds equal those of no question. */
export function storedAnswerOf({ approval }: CallEntry, line: ParsedLine): Answer | null {
  const answer = answerOf(approval, memberText(line.text, line.members, 'commitment'))
  if (answer === null || !line.mayRound) return answer
  const [requirement, redacted] = nestedTexts(line, 'approval', ['requirement', 'redacted'])
  const isExact = redacted === String(answer.redacted)
  return { ...answer, requirement: requirement ?? '', redacted: isExact ? answer.redacted : null }
}

/** Empty for a value without a canonical form, which equals no question. */
function textOf(value: unknown): string {
  try {
    return encodeCanonical(value)
  } catch (error) {
    if (error instanceof CryptoError) return ''
    throw error
  }
}

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

/**
 * The first problem with the approval of a decision that answers a question, as a verifier would report it; null if
 * there is none. A verifier does not need an approval for a denial.
 */
export function answeredApprovalProblem(entry: ApprovedDecision, recordedAt: string | null): Problem | null {
  const { approval, decision, request_id: requestId } = entry
  if (decision.effect !== 'allow' || approval === null || approval === undefined) return null
  const { policy_hash: policyHash, decision_hash: decisionHash } = decision
  const [problem = null] = approvalProblems(approval, { requestId, policyHash, decisionHash, recordedAt })
  return problem ?? (hasTimes(approval) ? null : APPROVAL_INCOMPLETE)
}

/** The members of a decision that its approval is compared with. */
export interface ApprovedDecision {
  readonly request_id: string
  readonly decision: DecisionBlock
  readonly approval?: ApprovalBlock | null
}

export const APPROVAL_INCOMPLETE: Problem = {
  code: 'APPROVAL_INCOMPLETE',
  message: 'allowed under an approval that lacks the time of its request, answer or expiry',
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
