// The open questions of a ledger, entry by entry.
//
//   position 20  asked     r-1, expires at 12:05    open
//   position 31  decision  r-1, allow               closes it, and must carry its requirement
//
// A question is open until its decision, or until an entry before that is recorded more than the grace period after
// its deadline: then it has expired, as if it had never been asked. So whether a question is open depends on the
// entries alone. The functions are pure. Writers use them before an append, and the verifier on every entry, so a
// writer refuses what a verifier would report.
import { type Hash, sha256Hex } from '@sudoagent/crypto'
import { APPROVAL_USE_GRACE_MS, type Asked, hashRequirement, hasTimeToAnswer } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { timestampMs } from '../entry/timestamp.js'
import { QUESTIONS_MAX, QUESTIONS_OF_AGENT_MAX } from '../limits.js'
import type { AnsweredCall, Problem } from '../rules/line-facts.js'

/** A question without a decision. It may have expired. */
export interface OpenQuestion {
  readonly requestId: string
  /** Position of the `asked` entry. */
  readonly position: number
  readonly decisionHash: Hash
  readonly authorityHash: Hash | null
  readonly policyHash: string
  readonly requirementHash: Hash
  /** Position of the registry that the requirement names; null if it names none. */
  readonly registryPosition: number | null
  readonly expiresAt: string
  readonly agentId: string
  readonly redacted: number
  /** Canonical JSON; null without one. */
  readonly commitment: string | null
}

/** The questions before an entry, as the rules need them. */
export interface QuestionView {
  /** The question without a decision; undefined if there is none. It may have expired. */
  find(requestId: string): OpenQuestion | undefined
  /** Numbers of questions without a decision that have not expired, of the ledger and of one agent. */
  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number }
}

export function openQuestion(asked: Asked, position: number): OpenQuestion {
  return {
    requestId: asked.request_id,
    position,
    decisionHash: asked.decision_hash,
    authorityHash: asked.authority_hash,
    policyHash: asked.policy_hash,
    requirementHash: hashRequirement(asked.requirement),
    registryPosition: null,
    expiresAt: asked.expires_at,
    agentId: asked.agent_id,
    redacted: asked.redacted,
    commitment: asked.commitment === undefined ? null : encodeCanonical(asked.commitment),
  }
}

/** A timestamp before every other. */
const EARLIEST = '0000-01-01T00:00:00.000000Z'

/**
 * The deadline before which questions have expired for the next entry.
 *
 * @param before - the latest `recorded_at` before that entry; null if there is none
 */
export function expiryLimit(before: string | null): string {
  if (before === null) return EARLIEST
  const iso = new Date(timestampMs(before) - APPROVAL_USE_GRACE_MS).toISOString()
  // The microseconds stay as they are.
  return iso.length === 24 ? `${iso.slice(0, 23)}${before.slice(23)}` : EARLIEST
}

export const isExpired = ({ expiresAt }: Pick<OpenQuestion, 'expiresAt'>, expiredBefore: string): boolean =>
  expiresAt < expiredBefore

/** The question that is open for the next entry; undefined if there is none. */
export function stillOpen(view: QuestionView, requestId: string, before: string | null): OpenQuestion | undefined {
  const found = view.find(requestId)
  return found === undefined || isExpired(found, expiryLimit(before)) ? undefined : found
}

/** Why a question cannot be recorded. */
export interface AskedProblem extends Problem {
  /** For a limit that is reached: which one. */
  readonly full?: string
}

/** The rule that a question breaks, and then it is not kept; null if there is none. */
export function askedProblem(
  asked: Asked,
  view: QuestionView,
  at: { readonly recordedAt: string | null; readonly before: string | null },
): AskedProblem | null {
  const { request_id: requestId, agent_id: agentId, requirement } = asked
  const invalid = (why: string): Problem => ({ code: 'CONTROL_INVALID', message: `invalid control entry: ${why}` })
  if (at.recordedAt === null) return invalid('the question has no `recorded_at`')
  if (!hasTimeToAnswer(asked, at.recordedAt))
    return invalid('the deadline of the question is not 1 ms to 7 days after the entry')
  if (requirement.registry_hash !== null) return invalid('the requirement names a registry that is not in force')
  if (stillOpen(view, requestId, at.before) !== undefined)
    return { code: 'ASKED_DUPLICATE', message: `the question \`${requestId}\` is already open` }
  const { ofLedger, ofAgent } = view.count(agentId, expiryLimit(at.before))
  const full = (what: string): AskedProblem => ({ ...invalid(what), full: what })
  if (ofLedger >= QUESTIONS_MAX) return full(`${QUESTIONS_MAX} questions are open`)
  return ofAgent >= QUESTIONS_OF_AGENT_MAX ? full(`${QUESTIONS_OF_AGENT_MAX} questions of the agent are open`) : null
}

/**
 * The rule that a decision breaks.
 *
 * @param call - null for a decision without a requirement
 * @param question - the open question with the request id of the decision; undefined if there is none
 */
export function answerProblem(call: AnsweredCall | null, question: OpenQuestion | undefined): Problem | null {
  const answer = call?.answer ?? null
  if (question === undefined)
    return answer === null
      ? null
      : { code: 'APPROVAL_NOT_ASKED', message: 'decided under a question that is not open at this entry' }
  if (call === null || answer === null)
    return {
      code: 'ASKED_MISMATCH',
      message: `decided without the requirement of its question, which entry ${question.position} asks`,
    }
  const differing = MEMBERS.find(([, differs]) => differs(call, question, answer))
  return differing === undefined
    ? null
    : { code: 'ASKED_MISMATCH', message: `the decision and its question differ in \`${differing[0]}\`` }
}

type Differs = (call: AnsweredCall, question: OpenQuestion, answer: NonNullable<AnsweredCall['answer']>) => boolean

const MEMBERS: readonly (readonly [name: string, differs: Differs])[] = [
  ['approval_id', (_, question, { approvalId }) => approvalId !== question.requestId],
  ['decision_hash', ({ decisionHash }, question) => decisionHash !== question.decisionHash],
  ['authority_hash', ({ authority }, { authorityHash }) => hashOf(authority) !== authorityHash],
  ['policy_hash', ({ policyHash }, question) => policyHash !== question.policyHash],
  ['requirement', (_, { requirementHash }, { requirement }) => sha256Hex(requirement) !== requirementHash],
  ['expires_at', (_, question, { expiresAt }) => expiresAt !== question.expiresAt],
  ['agent_id', ({ agentId }, question) => agentId !== question.agentId],
  ['redacted', (_, question, { redacted }) => redacted !== question.redacted],
  ['commitment', (_, question, { commitment }) => commitment !== question.commitment],
]

const hashOf = (text: string | null): Hash | null => (text === null ? null : sha256Hex(text))
