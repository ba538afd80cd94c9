// Encodes a question before any lock is taken, and sets its deadline when it is linked: the deadline depends on the
// time of its entry.
import { type Asked, hashAuthority, timestampMs } from '@sudoagent/crypto/entry'
import type { ControlDraft } from '../entry/control.js'
import { formatTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import { QUESTION_TTL_MS_MAX } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { AppendOptions, Question } from '../port/writer.js'
import { type EncodedDraft, encodeDraft } from './encode-draft.js'

/** All timestamps have the same length, so the deadline replaces this one in place. */
const NO_DEADLINE = '0000-01-01T00:00:00.000000Z'

/**
 * Encodes a question.
 *
 * @param createdAt - a ledger timestamp
 * @throws RangeError if the time until the deadline is not 1 ms to 7 days: it is never clipped; LedgerError
 *   ENTRY_REFUSED for a member that does not fit
 */
export function encodeQuestion(given: Question, createdAt: string, options: AppendOptions = {}): EncodedDraft {
  const question = ownFields(given)
  const { ttlMs } = question
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1 || ttlMs > QUESTION_TTL_MS_MAX)
    throw new RangeError(`\`ttlMs\` must be an integer from 1 to ${QUESTION_TTL_MS_MAX}`)
  const draft: ControlDraft = { event: 'checkpoint', created_at: createdAt, checkpoint: blockOf(question) }
  const encoded = encodeDraft(draft, options)
  if (encoded.control?.kind !== 'asked')
    throw new LedgerError('ENTRY_REFUSED', 'the question does not fit the ledger format')
  const [first = ''] = encoded.around
  const mark = `,"expires_at":"${NO_DEADLINE}"`
  // A string cannot contain the mark, because its quotes would be escaped.
  const expiresAtAt = first.indexOf(mark) + mark.indexOf(NO_DEADLINE)
  return { ...encoded, requestId: encoded.control.request_id, question: { ttlMs, expiresAtAt } }
}

function blockOf(question: Question): Asked {
  const { requestId, authority, commitment } = question
  return {
    action: question.action,
    agent_id: question.agentId,
    approval_id: requestId,
    ...(authority === undefined ? {} : { authority }),
    authority_hash: hashAuthority(authority ?? null),
    ...(commitment === undefined ? {} : { commitment }),
    decision_at: question.decisionAt,
    decision_hash: question.decisionHash,
    expires_at: NO_DEADLINE,
    kind: 'asked',
    policy_hash: question.policyHash,
    redacted: question.redacted,
    request_id: requestId,
    requirement: question.requirement,
  }
}

/**
 * The deadline of a question that is recorded at this time. A deadline after the last year that a timestamp can have is
 * that of an earlier time, which the rules refuse.
 */
export function deadlineOf(recordedAt: string, ttlMs: number): string {
  try {
    return formatTimestamp(new Date(timestampMs(recordedAt) + ttlMs))
  } catch {
    return NO_DEADLINE
  }
}

/** Sets the deadline of a question; other drafts are returned as they are. */
export function withDeadline(draft: EncodedDraft, recordedAt: string): EncodedDraft {
  const { question, control, around } = draft
  if (question === null || control?.kind !== 'asked') return draft
  const expiresAt = deadlineOf(recordedAt, question.ttlMs)
  const { expiresAtAt: at } = question
  const [first = '', ...rest] = around
  const dated = first.slice(0, at) + expiresAt + first.slice(at + expiresAt.length)
  return { ...draft, around: [dated, ...rest], control: { ...control, expires_at: expiresAt } }
}
