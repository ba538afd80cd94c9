// Records refusals for which no process waits. A person can refuse a call after the process that asked has ended; the
// next process that opens the ledger and the approval store records the denial.
import type { EntryDraft } from '@sudoagent/ledger'
import { REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import type { ApprovalRecord } from '../approval/approval.js'
import { within } from '../call/deadline.js'
import { draftRefusal } from '../call/draft-refused.js'
import type { Recorder } from '../call/recorder.js'
import { memberOf } from '../check.js'
import type { EngineParts } from '../options.js'
import type { Redactor } from '../redaction/redactor.js'
import { blockOf } from './approval-block.js'
import { questionMembers, recordsQuestions } from './question-step.js'
import { openQuestions, recordsInState } from './stored-questions.js'

/**
 * Records the questions of this ledger that were refused and are still open. A failure is reported to the error hook:
 * such a call does not run in any case.
 */
export async function recordRefusedQuestions(parts: EngineParts, recorder: Recorder): Promise<void> {
  if (!recordsQuestions(parts.ledger) || typeof memberOf(parts.approvalStore, 'list') !== 'function') return
  const report = (requestId: string, error: unknown): void => recorder.fault({ stage: 'approval', requestId, error })
  try {
    const refused = await findRefused(parts, report)
    // Together, so that the ledger commits them together. One that the ledger does not take does not stop the others.
    await Promise.all(
      refused.map((record) => recordRefusal(parts, record).catch((error: unknown) => report(record.approvalId, error))),
    )
  } catch (error) {
    report('', error)
  }
}

/** The questions that the store has as denied and the ledger as open. */
async function findRefused(
  parts: EngineParts,
  report: (requestId: string, error: unknown) => void,
): Promise<readonly ApprovalRecord[]> {
  const { ledger, timeoutMs } = parts
  const hash = await within(timeoutMs, 'ledger', async () => ledger.firstHash?.())
  const ids = await openQuestions(parts)
  if (typeof hash !== 'string' || ids?.length === 0) return []
  const open = ids === undefined ? undefined : new Set(ids)
  const refused = await recordsInState(parts, { state: 'denied', ledger: hash }, open, report)
  return open === undefined ? refused : refused.filter(({ approvalId }) => open.has(approvalId))
}

/** @throws the ledger's error, unless the question has a decision or has expired */
async function recordRefusal({ ledger, timeoutMs, redactor }: EngineParts, record: ApprovalRecord): Promise<void> {
  const draft = denialOf(record, redactor)
  if (draft === null) return
  try {
    await within(timeoutMs, 'ledger', () => ledger.append(draft))
  } catch (error) {
    if (draftRefusal(error)?.code !== 'QUESTION_CLOSED') throw error
  }
}

const NO_REASON = 'the approver denied the call'

/** The decision that denies a refused question; null for a record that does not have all its values. */
function denialOf(record: ApprovalRecord, redactor: Redactor): EntryDraft | null {
  const { binding, action, agentId, args, kwargs, authority, decision, asked } = record
  if (asked === undefined || decision === undefined) return null
  const { commitment, policyId, policyVersion } = asked
  const { policyHash, decisionHash } = binding
  return {
    action,
    actor: { principal: agentId, source: decision.source },
    agent_id: agentId,
    approval: {
      ...blockOf(record, 'denied', null),
      approver_id: record.approverId === null ? null : redactor.text(record.approverId),
      ...questionMembers(asked),
    },
    ...(authority === undefined ? {} : { authority }),
    budget: null,
    ...(commitment === undefined ? {} : { commitment }),
    created_at: decision.decisionAt,
    decision: {
      decision_hash: decisionHash,
      effect: 'deny',
      policy_hash: policyHash,
      policy_id: policyId,
      policy_version: policyVersion,
      reason: redactor
        .text(record.note ?? NO_REASON)
        .slice(0, REASON_LENGTH_MAX)
        .toWellFormed(),
      reason_code: 'APPROVAL_DENIED',
    },
    event: 'decision',
    metadata: asked.metadata,
    parameters: { args, kwargs },
    request_id: binding.requestId,
  }
}
