// The approval step: asks, listens until the deadline, and uses the answer once. Whatever is not a timely yes that is bound to exactly
// this call is a refusal.
import { type ApprovalBlock, formatTimestamp } from '@sudoagent/ledger'
import { type CheckedAnswer, parseAnswer } from '../approval/answer.js'
import {
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalState,
  type ApprovalStore,
  ApprovalStoreError,
  type Approver,
  makeApprovalRequest,
} from '../approval/approval.js'
import { memberOf } from '../check.js'
import { CallCancelled } from '../error.js'
import { within } from './deadline.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/** What the step works with. */
export interface ApprovalDeps {
  readonly approver: Approver
  readonly store: ApprovalStore
  readonly clock: () => Date
  /** How long the store may take for one answer, in milliseconds. The approver has `ttlMs`. */
  readonly timeoutMs: number
}

export interface ApprovalOptions {
  readonly reason: string
  readonly ttlMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Gets an approval for one call, and uses it.
 *
 * @returns the ledger's approval block, state `approved`
 * @throws Refusal `denied` APPROVAL_DENIED when it was refused, expired, cancelled, or bound to something else, or the code of a
 * CallCancelled; `approval`
 * APPROVAL_PROCESS_FAILED when the approver or the store failed
 */
export async function seekApproval(
  desk: ApprovalDeps,
  call: DecisionRequest,
  terms: ApprovalOptions,
): Promise<ApprovalBlock> {
  const { requestId, action, agentId, args, kwargs } = call.context
  const binding = { requestId, policyHash: call.policy.policyHash, decisionHash: call.decisionHash }
  let request: ApprovalRequest | undefined
  try {
    const asked = makeApprovalRequest(
      { binding, action, agentId, args, kwargs, reason: terms.reason },
      terms.ttlMs,
      desk.clock(),
    )
    request = asked
    await ask(desk, () => desk.store.create(asked, desk.clock()))
    const heard = await listen(desk, asked, terms)
    if (heard === 'cancelled') throw cancelled(terms.signal)
    return blockOf(await settle(desk, asked, heard), 'approved')
  } catch (error) {
    const block = request === undefined ? undefined : await close(desk, request, error)
    throw asRefusal(error, block)
  }
}

/** Without a prototype: Node asks for `signal` and others by name, and would take what somebody put on that of all objects. */
const ONCE: { readonly once: true } = Object.assign(Object.create(null), { once: true })

type Heard = CheckedAnswer | 'expired' | 'cancelled'

/** The approver's answer, unless the deadline or the caller's signal comes first; after that nothing it says is heard. */
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

/** Puts the answer on the record of the store, and uses a yes: once, in time, for this call. */
async function settle(
  desk: ApprovalDeps,
  request: ApprovalRequest,
  heard: Exclude<Heard, 'cancelled'>,
): Promise<ApprovalRecord> {
  const { approvalId, binding } = request
  if (heard === 'expired') throw new Unapproved('expired', 'nobody approved in time')
  const { approved, approverId, note } = heard
  const state = approved ? 'approved' : 'denied'
  const answer = { state, approverId, note, binding: heard.binding } as const
  if (!approved) {
    // The no stands whether or not the store can still take it down; but an approver that only ran out of time said nothing.
    const late = await ask(desk, () => desk.store.resolve(approvalId, answer, desk.clock())).then(() => false, isExpiry)
    if (late) throw new Unapproved('expired', 'nobody approved in time')
    throw new Unapproved('denied', note ?? 'the approver refused', approverId)
  }
  await ask(desk, () => desk.store.resolve(approvalId, answer, desk.clock()))
  return requireUsed(await ask(desk, () => desk.store.consume(approvalId, binding, desk.clock())), request)
}

/** A store is foreign code: what it hands back must be the approval that was asked for. */
function requireUsed(record: ApprovalRecord, { approvalId, binding }: ApprovalRequest): ApprovalRecord {
  const bound = memberOf(record, 'binding')
  const same = (['requestId', 'policyHash', 'decisionHash'] as const).every(
    (name) => memberOf(bound, name) === binding[name],
  )
  if (memberOf(record, 'approvalId') === approvalId && memberOf(record, 'state') === 'approved' && same) return record
  throw new Unapproved('failed', 'the approval was given for another call')
}

const ask = <T>({ timeoutMs }: ApprovalDeps, work: () => Promise<T>): Promise<T> =>
  within(timeoutMs, 'approval store', work)

/** A plain no, with what the record says of it. */
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

/** The caller's cancellation, in the words of the program that gave the call up where it said why. */
function cancelled(signal: AbortSignal | undefined): Unapproved {
  const reason: unknown = signal?.reason
  if (reason instanceof CallCancelled) return new Unapproved('failed', reason.message, null, reason.code)
  return new Unapproved('failed', 'the caller cancelled while an approval was open')
}

const isExpiry = (error: unknown): boolean => error instanceof ApprovalStoreError && error.code === 'APPROVAL_EXPIRED'

/** Which codes of a store mean no, and which that it does not work. */
const NO: ReadonlyMap<string, readonly [Unapproved['state'], string]> = new Map([
  ['APPROVAL_EXPIRED', ['expired', 'the approval came too late']],
  ['APPROVAL_BINDING_MISMATCH', ['failed', 'the approval was given for another call']],
  ['APPROVAL_ALREADY_RESOLVED', ['denied', 'the approval was settled otherwise']],
  ['APPROVAL_ALREADY_USED', ['failed', 'the approval was used already']],
  ['APPROVAL_NOT_APPROVED', ['denied', 'the approval was not given']],
])

function asUnapproved(error: unknown): Unapproved | null {
  if (error instanceof Unapproved) return error
  const no = error instanceof ApprovalStoreError ? NO.get(error.code) : undefined
  return no === undefined ? null : new Unapproved(no[0], no[1])
}

/** Leaves no pending record behind, so that nobody approves a call that is gone; the store may be the thing that is broken. */
async function close(desk: ApprovalDeps, request: ApprovalRequest, error: unknown): Promise<ApprovalBlock> {
  const { state, approverId } = asUnapproved(error) ?? { state: 'failed' as const, approverId: null }
  const now = desk.clock()
  await ask(desk, () => desk.store.resolve(request.approvalId, { state }, now)).catch(() => {})
  return blockOf({ ...fields(request), approverId, resolvedAt: now }, state)
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
    reason: 'approval process failed',
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

function blockOf(
  { approvalId, binding, createdAt, expiresAt, approverId, resolvedAt }: BlockFacts,
  state: ApprovalState,
): ApprovalBlock {
  return {
    approval_id: approvalId,
    state,
    approver_id: approverId,
    created_at: formatTimestamp(createdAt),
    resolved_at: resolvedAt === null ? null : formatTimestamp(resolvedAt),
    expires_at: formatTimestamp(expiresAt),
    binding: { request_id: binding.requestId, policy_hash: binding.policyHash, decision_hash: binding.decisionHash },
  }
}
