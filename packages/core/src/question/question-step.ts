// The question step: the ledger records the question of a call before an approver is asked, and sets its deadline. The
// decision then carries the requirement of the question (RECORD §2 and §4 of the format: `asked`).
import { assertedRequirement, type Commitment, hashRequirement, type Requirement } from '@sudoagent/crypto/entry'
import type { LedgerWriter } from '@sudoagent/ledger'
import type { ApprovalBlock } from '@sudoagent/ledger/entry'
import type { AskedQuestion } from '@sudoagent/ledger/store'
import type { AskedRequest } from '../approval/approval.js'
import { within } from '../call/deadline.js'
import { type DecisionRequest, recordedMetadata } from '../call/decision.js'
import { draftRefusal } from '../call/draft-refused.js'
import type { Recorder } from '../call/recorder.js'
import { memberOf } from '../check.js'
import type { EngineParts } from '../options.js'
import { noticeOf } from '../policy/context.js'

/** A recorded question. */
export interface RecordedQuestion {
  readonly entry: Omit<AskedQuestion, 'entryHash'>
  readonly requirement: Requirement
  readonly redacted: number
  readonly commitment?: Commitment
}

export interface QuestionTerms {
  /** The id of the policy rule that requires approval; null if the policy does not name one. */
  readonly rule: string | null
  readonly ttlMs: number
  readonly once: boolean
}

/** Whether a ledger records questions. */
export const recordsQuestions = (ledger: LedgerWriter): boolean => typeof memberOf(ledger, 'ask') === 'function'

/**
 * Records the question of a call.
 *
 * @returns null if the ledger does not record questions
 * @throws DraftRefused if the rules of the ledger forbid the question; AuditLogError if it cannot be recorded
 */
export async function recordQuestion(
  { ledger, timeoutMs }: Pick<EngineParts, 'ledger' | 'timeoutMs'>,
  recorder: Pick<Recorder, 'unrecorded'>,
  call: DecisionRequest,
  { rule, ttlMs, once }: QuestionTerms,
): Promise<RecordedQuestion | null> {
  if (!recordsQuestions(ledger) || ledger.ask === undefined) return null
  const { requestId, action, agentId } = call.context
  const { authority } = call.authority
  const requirement = assertedRequirement(rule)
  const { redacted } = noticeOf(call.context)
  const bound = call.bound === null ? {} : { commitment: call.bound.commitment }
  const question = {
    requestId,
    decisionAt: call.decisionAt,
    decisionHash: call.decisionHash,
    ...(authority === null ? {} : { authority }),
    policyHash: call.policy.policyHash,
    action,
    agentId,
    requirement,
    redacted,
    ...bound,
    ttlMs,
  }
  try {
    const entry: unknown = await within(timeoutMs, 'ledger', async () => ledger.ask?.(question, { once }))
    return { entry: checkedEntry(entry), requirement, redacted, ...bound }
  } catch (cause) {
    const refused = draftRefusal(cause)
    if (refused !== null) throw refused
    throw recorder.unrecorded(call, 'the question could not be recorded', cause)
  }
}

/** The entry, if the ledger has confirmed it. @throws TypeError */
function checkedEntry(entry: unknown): AskedQuestion {
  const texts = ['entryHash', 'recordedAt', 'expiresAt', 'ledger'].map((name) => memberOf(entry, name))
  if (!Number.isSafeInteger(memberOf(entry, 'position')) || !texts.every((text) => typeof text === 'string'))
    throw new TypeError('the ledger did not return the entry of the question')
  return entry as AskedQuestion
}

/** The part of an approval request that comes from its question. */
export function askedRequest(call: DecisionRequest, { entry, ...question }: RecordedQuestion): AskedRequest {
  const { policyId, policyVersion } = call.policy
  return {
    ledger: entry.ledger,
    position: entry.position,
    ...question,
    requirementHash: hashRequirement(question.requirement),
    policyId,
    policyVersion,
    metadata: recordedMetadata(call),
  }
}

/** The members of an approval block that its question has established; none without a question. */
export function questionMembers(
  question: Pick<RecordedQuestion, 'requirement' | 'redacted'> | null,
): Partial<ApprovalBlock> {
  if (question === null) return {}
  const { requirement, redacted } = question
  return { redacted, registry: null, requirement, statements: [] }
}
