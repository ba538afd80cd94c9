// The approval step: calls the approver, waits until the deadline, and uses the answer once. The call continues only if
// an approval arrives in time and is bound to exactly this call.
import { hashAuthority } from '@sudoagent/crypto/entry'
import { LedgerError } from '@sudoagent/ledger'
import type { ApprovalBlock } from '@sudoagent/ledger/entry'
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
import { blockOf, factsOf, timesOf } from './approval-block.js'
import { pendingOf, StillPending, WaitEnded } from './pending.js'
import { askedRequest, type RecordedQuestion } from './question-step.js'

/** The dependencies of this step. */
export interface ApprovalDeps {
  readonly approver: Approver
  readonly store: ApprovalStore
  readonly clock: () => Date
  /** The time limit for one call to the store, in milliseconds. The time limit for the approver is `ttlMs`. */
  readonly timeoutMs: number
  /** Whether the ledger has a question without a decision. */
  readonly isOpen: (approvalId: string) => Promise<boolean>
}

export interface ApprovalOptions {
  readonly reason: string
  readonly ttlMs: number
  readonly signal: AbortSignal | undefined
  /** Null if the ledger does not record questions. */
  readonly question: RecordedQuestion | null
  /** The record of a question that the call attached to; null for a new one. */
  readonly record: ApprovalRecord | null
  /** The holder of the lease that a new question gets with its record, so that no equal call attaches in between. */
  readonly holder: string | undefined
  /** False: if the answer is not there yet, `StillPending` is thrown. */
  readonly wait: boolean
  /** Whether `StillPending` is thrown when the wait ends with `WaitEnded`. */
  readonly mayPend: boolean
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
      terms.record ??
      (question === null
        ? makeApprovalRequest(shown, ttlMs, desk.clock())
        : makeAskedRequest({ ...shown, asked: askedRequest(call, question) }, timesOf(question)))
    request = asked
    if (terms.record === null) await ask(desk, () => desk.store.create(asked, desk.clock(), terms.holder))
    // A new question has no answer yet, whatever its record says: the approver is asked.
    const heard = (terms.record === null ? null : answerIn(terms.record)) ?? (await hear(desk, asked, terms))
    if (heard === 'cancelled') throw cancelled(terms, asked)
    return blockOf(await settle(desk, asked, heard), 'approved', question)
  } catch (error) {
    if (error instanceof StillPending) throw error
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

/** The answer that a question has already; null without one. */
function answerIn(record: ApprovalRecord): CheckedAnswer | null {
  const state: unknown = memberOf(record, 'state')
  if (state !== 'approved' && state !== 'denied') return null
  return parseAnswer({
    approved: state === 'approved',
    approverId: record.approverId,
    reason: record.note,
    binding: record.binding,
  })
}

/** @throws StillPending for a call that does not wait */
async function hear(desk: ApprovalDeps, request: ApprovalRequest, terms: ApprovalOptions): Promise<Heard> {
  if (!terms.wait) throw new StillPending(pendingOf(request))
  return await listen(desk, request, terms)
}

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
    silence.abort(signal?.aborted === true ? signal.reason : undefined)
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
  if (request.asked !== undefined) return await requireUnused(desk, requireApproved(settled, request))
  return requireApproved(await ask(desk, () => desk.store.consume(approvalId, binding, desk.clock())), request)
}

/**
 * Another process may have used the approval since. An approval that is used while its question is open means that the
 * ledger is an older copy of itself.
 */
async function requireUnused(desk: ApprovalDeps, record: ApprovalRecord): Promise<ApprovalRecord> {
  if (memberOf(record, 'consumedAt') === null) return record
  if (!(await desk.isOpen(record.approvalId)))
    throw new Unapproved('failed', 'the approval was already used', null, 'APPROVAL_ALREADY_USED')
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

/**
 * Describes the caller's cancellation, with the code and reason of a CallCancelled if the caller passed one. If only
 * the wait ends, the question stays open.
 */
function cancelled({ signal, mayPend }: ApprovalOptions, request: ApprovalRequest): Unapproved | StillPending {
  const reason: unknown = signal?.reason
  if (reason instanceof WaitEnded && mayPend) {
    if (request.asked !== undefined) return new StillPending(pendingOf(request))
    const ended = 'the wait for the approval ended, and the ledger does not record questions'
    return new Unapproved('failed', ended, null, 'CALL_CANCELLED')
  }
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
  return blockOf({ ...factsOf(request), approverId, resolvedAt: now }, state, question)
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
