/**
 * Decides whether a call is the one that a recorded question is about. It is, only if all of these are equal: the
 * action, the agent, the authority, the policy, and the arguments before redaction.
 *
 * The caller can add a condition of its own (`AuthorizeCall.attach`).
 *
 * The decision hash of a call under the id and the time of the question covers the action, the agent, the policy and
 * the redacted arguments. Two calls that differ only in a redacted value have equal hashes. The process that asked
 * therefore compares the arguments that it keeps. Another process accepts a call only if nothing of the question and
 * nothing of the call is redacted, or if both have the same commitment to the arguments before redaction, which a call
 * with converted values does not have.
 */
import type { Hash } from '@sudoagent/crypto'
import type { Authority, Commitment } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { formatTimestamp } from '@sudoagent/ledger/entry'
import type { ApprovalRecord } from '../approval/approval.js'
import { type Snapshot, sameSnapshot } from '../arguments/snapshot.js'
import { type DecisionRequest, requestDecision } from '../call/decision.js'
import type { PendingCall } from '../call/unchanged.js'
import { commitmentAs } from '../commitment/bound-parameters.js'
import { noticeOf, underRequestId } from '../policy/context.js'
import type { PolicyIdentity } from '../policy/policy.js'
import type { RecordedQuestion } from './question-step.js'

/** A call that attaches to a question. */
export interface Attached {
  /** The call under the request id and the time of the question. */
  readonly asked: PendingCall
  readonly question: RecordedQuestion
  readonly record: ApprovalRecord
}

/** The values that the comparison needs besides the call and the question. */
export interface AttachTerms {
  /** `entry_hash` of the first entry of the ledger. */
  readonly ledger: Hash
  /** The arguments of the call that asked, if this process keeps them. */
  readonly kept: (requestId: string, decisionHash: Hash) => Snapshot | undefined
  readonly commitmentKey: Uint8Array | null
}

/** @returns null if the call is not the one that the question is about */
export function attach(call: PendingCall, record: ApprovalRecord, terms: AttachTerms): Attached | null {
  return attachUnder(call.request.policy, call, record, terms)
}

/**
 * As `attach`, for a question that was asked under another policy: everything else is equal.
 *
 * @returns null also if the policy is the same
 */
export function attachStale(call: PendingCall, record: ApprovalRecord, terms: AttachTerms): Attached | null {
  const { asked, binding } = record
  if (asked === undefined || binding.policyHash === call.request.policy.policyHash) return null
  const { policyId, policyVersion } = asked
  return attachUnder({ policyId, policyVersion, policyHash: binding.policyHash }, call, record, terms)
}

function attachUnder(
  policy: PolicyIdentity,
  call: PendingCall,
  record: ApprovalRecord,
  { ledger, kept, commitmentKey }: AttachTerms,
): Attached | null {
  const { approvalId, asked, decision, binding } = record
  if (asked === undefined || decision === undefined || asked.ledger !== ledger) return null
  if (call.terms.attach?.({ requestId: approvalId, metadata: asked.metadata }) !== true) return null
  if (!sameAuthority(authorityOf(record), call.request.authority.authority)) return null
  const request = underQuestion(policy, call.request, record, decision.decisionAt)
  if (request.decisionHash !== binding.decisionHash) return null
  const own = kept(approvalId, binding.decisionHash)
  const committed = compareCommitments(call, record, commitmentKey)
  const isSame =
    own === undefined ? hidesNothing(call, asked.redacted) || committed === 'equal' : sameSnapshot(own, call.snapshot)
  if (!isSame || committed === 'different') return null
  const { position, requirement, redacted } = asked
  const commitment = commitmentOf(record)
  const entry = {
    position,
    ledger,
    recordedAt: formatTimestamp(record.createdAt),
    expiresAt: formatTimestamp(record.expiresAt),
  }
  return {
    asked: { ...call, request },
    question: { entry, requirement, redacted, ...(commitment === undefined ? {} : { commitment }) },
    record,
  }
}

/** The call under the id, the time, the recorded authority and the commitment of the question. */
function underQuestion(
  policy: PolicyIdentity,
  { context, authority, bound, parameters }: DecisionRequest,
  record: ApprovalRecord,
  decisionAt: string,
): DecisionRequest {
  const commitment = commitmentOf(record)
  return requestDecision(
    underRequestId(context, record.approvalId),
    policy,
    decisionAt,
    { ...authority, authority: authorityOf(record) },
    commitment === undefined ? null : { given: bound?.given ?? parameters, commitment },
  )
}

const hidesNothing = ({ request }: PendingCall, redacted: number): boolean =>
  redacted === 0 && noticeOf(request.context).redacted === 0

/** Compares the commitment of the call with that of the question; null if they do not have one under the same key. */
function compareCommitments(
  { request }: PendingCall,
  record: ApprovalRecord,
  key: Uint8Array | null,
): 'equal' | 'different' | null {
  const asked = commitmentOf(record)
  if (key === null || request.bound === null || asked === undefined) return null
  const { key_id: keyId, hmac } = commitmentAs(key, record.approvalId, request.bound.given)
  if (keyId !== asked.key_id) return null
  return hmac === asked.hmac ? 'equal' : 'different'
}

// Only own members count: Object.prototype may have members of these names.

function commitmentOf({ asked }: ApprovalRecord): Commitment | undefined {
  return asked !== undefined && Object.hasOwn(asked, 'commitment') ? asked.commitment : undefined
}

function authorityOf(record: ApprovalRecord): Authority | null {
  return (Object.hasOwn(record, 'authority') ? record.authority : undefined) ?? null
}

/** Whether two authorities name the same: how a subject was checked changes with each of its tokens. */
function sameAuthority(a: Authority | null, b: Authority | null): boolean {
  return encodeCanonical(withoutEvidence(a)) === encodeCanonical(withoutEvidence(b))
}

function withoutEvidence(authority: Authority | null): object | null {
  if (authority?.on_behalf_of === undefined) return authority
  const { evidence: _, ...subject } = authority.on_behalf_of
  return { ...authority, on_behalf_of: subject }
}
