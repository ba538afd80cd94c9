// The approval step: calls the approver, waits until the deadline, and uses the answer once. The call continues only if
// an approval arrives in time and is bound to exactly this call.
import { hashAuthority } from '@sudoagent/crypto/entry'
import { LedgerError } from '@sudoagent/ledger'
import { type ApprovalBlock, formatTimestamp, timestampMs } from '@sudoagent/ledger/entry'
import { type CheckedAnswer, parseAnswer } from '../approval/answer.js'
import {
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalState,
  type ApprovalStore,
  ApprovalStoreError,
  type Approver,
} from '../approval/approval.js'
import { makeAskedRequest } from '../approval/make-asked-request.js'
import { makeApprovalRequest } from '../approval/make-request.js'
import { within } from '../call/deadline.js'
import type { DecisionRequest } from '../call/decision.js'
import { Refusal } from '../call/refusal.js'
import { memberOf } from '../check.js'
import { CallCancelled } from '../error.js'
import { askedRequest, questionMembers, type RecordedQuestion } from './question-step.js'

/** The dependencies of this step. */
export interface ApprovalDeps {
  readonly approver: Approver
  readonly store: ApprovalStore
  readonly clock: () => Date
  /** The time limit for one call to the store, in milliseconds. The time limit for the approver is `ttlMs`. */
  readonly timeoutMs: number
}

export interface ApprovalOptions {
  readonly reason: string
  readonly ttlMs: number
  readonly signal: AbortSignal | undefined
  /** Null if the ledger does not record questions. */
  readonly question: RecordedQuestion | null
}

/**
 * Gets an approval for one call and uses it.
 *
 * @returns the ledger's approval block with the state `approved`
 * @throws Refusal `denied` with APPROVAL_DENIED if the approval was denied, expired, cancelled or bound to a different
 * call, or with the code of a CallCancelled; `approval` with APPROVAL_PROCESS_FAILED if the approver or the store
 * failed
 */
export async function seekApproval(
  desk: ApprovalDeps,
  call: DecisionRequest,
  terms: ApprovalOptions,
): Promise<ApprovalBlock> {
  const { requestId, action, agentId, args, kwargs } = call.context
  const { authority } = call.authority
  const decision = { decisionAt: call.decisionAt, source: call.actor.source, authorityHash: hashAuthority(authority) }
  const forWhom = authority === null ? {} : { authority }
  const binding = { requestId, policyHash: call.policy.policyHash, decisionHash: call.decisionHash }
  let request: ApprovalRequest | undefined
  try {
    const { question, reason, ttlMs } = terms
    const shown = { binding, action, agentId, args, kwargs, ...forWhom, decision, reason }
    const asked =
      question === null
        ? makeApprovalRequest(shown, ttlMs, desk.clock())
        : makeAskedRequest({ ...shown, asked: askedRequest(call, question) }, timesOf(question))
    request = asked
    await ask(desk, () => desk.store.create(asked, desk.clock()))
    const heard = await listen(desk, asked, terms)
    if (heard === 'cancelled') throw cancelled(terms.signal)
    return blockOf(await settle(desk, asked, heard), 'approved', question)
  } catch (error) {
    const block = request === undefined ? undefined : await close(desk, request, error, terms.question)
    throw asRefusal(error, block)
  }
}

/**
 * The object does not have a prototype, because Node reads `signal` and other options by name and would find polluted
 * members of `Object.prototype`.
 */
const ONCE: { readonly once: true } = Object.assign(Object.create(null), { once: true })

type Heard = CheckedAnswer | 'expired' | 'cancelled'

/** Waits for the approver's answer, the deadline or the caller's signal. Later answers are ignored. */
async function listen(
  { approver, store }: ApprovalDeps,
  request: ApprovalRequest,
  { ttlMs, signal }: ApprovalOptions,
): Promise<Heard> {
  const silence = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let cancel = (): void => {}
  try {
    return await Promise.race([
      Promise.resolve(approver.approve(request, { signal: silence.signal, store })).then(parseAnswer),
      new Promise<Heard>((resolve) => {
        timer = setTimeout(() => resolve('expired'), ttlMs)
        cancel = () => resolve('cancelled')
        if (signal?.aborted) cancel()
        else signal?.addEventListener('abort', cancel, ONCE)
      }),
    ])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
    silence.abort()
  }
}

/**
 * Stores the answer and marks an approval as used. The store checks that the approval is unused, has not expired and
 * is bound to this call.
 */
async function settle(
  desk: ApprovalDeps,
  request: ApprovalRequest,
  heard: Exclude<Heard, 'cancelled'>,
): Promise<ApprovalRecord> {
  const { approvalId, binding } = request
  if (heard === 'expired') throw expired('no approval before the deadline')
  const { approved, approverId, note } = heard
  const state = approved ? 'approved' : 'denied'
  const answer = { state, approverId, note, binding: heard.binding } as const
  if (!approved) {
    // A denial is valid even if the store can no longer record it. If the request has expired, the state is
    // `expired`, not `denied`.
    const late = await ask(desk, () => desk.store.resolve(approvalId, answer, desk.clock())).then(() => false, isExpiry)
    if (late) throw expired('no approval before the deadline')
    throw new Unapproved('denied', note ?? 'the approver denied the call', approverId)
  }
  const settled = await ask(desk, () => desk.store.resolve(approvalId, answer, desk.clock()))
  // The use of a recorded question is its decision in the ledger; the store only follows.
  if (request.asked !== undefined) return requireUnused(requireApproved(settled, request))
  return requireApproved(await ask(desk, () => desk.store.consume(approvalId, binding, desk.clock())), request)
}

/** An approval that is used while its question is open: the ledger is an older copy of itself. */
function requireUnused(record: ApprovalRecord): ApprovalRecord {
  if (memberOf(record, 'consumedAt') === null) return record
  throw new LedgerError('LEDGER_DAMAGED', 'the approval store has an approval as used, and the ledger has it as open', {
    hint: 'the ledger was replaced by an older copy of itself; compare it with a checkpoint kept elsewhere',
  })
}

/** Checks that the store returned the approval for this request. The store is untrusted code. */
function requireApproved(record: ApprovalRecord, { approvalId, binding }: ApprovalRequest): ApprovalRecord {
  const bound = memberOf(record, 'binding')
  const same = (['requestId', 'policyHash', 'decisionHash'] as const).every(
    (name) => memberOf(bound, name) === binding[name],
  )
  if (memberOf(record, 'approvalId') === approvalId && memberOf(record, 'state') === 'approved' && same) return record
  throw new Unapproved('failed', 'the approval was given for a different call')
}

const ask = <T>({ timeoutMs }: ApprovalDeps, work: () => Promise<T>): Promise<T> =>
  within(timeoutMs, 'approval store', work)

/** Thrown for a denial. Contains the data for the denial's record. */
class Unapproved extends Error {
  readonly state: Exclude<ApprovalState, 'pending' | 'approved'>
  readonly approverId: string | null
  readonly code: string

  constructor(
    state: Unapproved['state'],
    reason: string,
    approverId: string | null = null,
    code: string = 'APPROVAL_DENIED',
  ) {
    super(reason)
    this.state = state
    this.approverId = approverId
    this.code = code
  }
}

const expired = (reason: string): Unapproved => new Unapproved('expired', reason, null, 'APPROVAL_EXPIRED')

/** Describes the caller's cancellation, with the code and reason of a CallCancelled if the caller passed one. */
function cancelled(signal: AbortSignal | undefined): Unapproved {
  const reason: unknown = signal?.reason
  if (reason instanceof CallCancelled) return new Unapproved('failed', reason.message, null, reason.code)
  return new Unapproved('failed', 'the caller cancelled the call while it waited for approval', null, 'CALL_CANCELLED')
}

const isExpiry = (error: unknown): error is ApprovalStoreError =>
  error instanceof ApprovalStoreError && error.code === 'APPROVAL_EXPIRED'

/** The store errors that deny the call, besides APPROVAL_EXPIRED. All other errors mean that the store failed. */
const NO: ReadonlyMap<string, readonly [Unapproved['state'], string]> = new Map([
  ['APPROVAL_BINDING_MISMATCH', ['failed', 'the approval was given for a different call']],
  ['APPROVAL_ALREADY_RESOLVED', ['denied', 'the approval was already resolved differently']],
  ['APPROVAL_ALREADY_USED', ['failed', 'the approval was already used']],
  ['APPROVAL_NOT_APPROVED', ['denied', 'the call was not approved']],
])

function asUnapproved(error: unknown): Unapproved | null {
  if (error instanceof Unapproved) return error
  if (isExpiry(error)) return expired(error.message)
  const no = error instanceof ApprovalStoreError ? NO.get(error.code) : undefined
  if (no === undefined) return null
  return new Unapproved(...no)
}

/**
 * Settles the pending record, so that people do not approve a call that has already ended. Errors are ignored, because
 * the store itself may have failed.
 */
async function close(
  desk: ApprovalDeps,
  request: ApprovalRequest,
  error: unknown,
  question: RecordedQuestion | null,
): Promise<ApprovalBlock> {
  const { state, approverId } = asUnapproved(error) ?? { state: 'failed' as const, approverId: null }
  const now = desk.clock()
  await ask(desk, () => desk.store.resolve(request.approvalId, { state }, now)).catch(() => {})
  return blockOf({ ...fields(request), approverId, resolvedAt: now }, state, question)
}

function asRefusal(error: unknown, approval: ApprovalBlock | undefined): Refusal {
  const no = asUnapproved(error)
  const block = approval === undefined ? {} : { approval }
  if (no !== null)
    return new Refusal({
      code: no.code,
      reason: no.message,
      cause: no === error ? undefined : error,
      ...block,
    })
  return new Refusal({
    kind: 'approval',
    code: 'APPROVAL_PROCESS_FAILED',
    reason: 'the approver or the approval store failed',
    cause: error,
    ...block,
  })
}

type BlockFacts = Pick<
  ApprovalRecord,
  'approvalId' | 'binding' | 'createdAt' | 'expiresAt' | 'approverId' | 'resolvedAt'
>

const fields = ({ approvalId, binding, createdAt, expiresAt }: ApprovalRequest) => ({
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

const timesOf = ({ entry }: RecordedQuestion): { readonly createdAt: Date; readonly expiresAt: Date } => ({
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
