/**
 * Defines approval requests, approval records, and the interfaces of approvers and approval stores.
 *
 * When a policy returns `require_approval`, the boundary creates a request, stores a `pending` record, and calls the
 * approver. The answer moves the record to `approved` or `denied`; a record without an answer expires. `transition.ts`
 * lists all states. An approval is valid for one call only: it is bound to the request id, the policy hash and the
 * decision hash. The decision hash is SHA-256 over the canonical JSON of the call (LEDGER-FORMAT §3). `consume`
 * compares the binding and marks the approval as used, so a second use fails.
 *
 *     const call = { binding, action: 'refund', agentId: 'bot', args: [], kwargs: { amount: 500 }, reason: 'over 100' }
 *     const request = makeApprovalRequest(call, 300_000, now)
 *     await store.create(request, now)                                          // pending
 *     await store.resolve(request.approvalId, { state: 'approved' }, now)       // approved
 *     await store.consume(request.approvalId, request.binding, now)             // consumedAt is set
 *     await store.consume(request.approvalId, request.binding, now)             // APPROVAL_ALREADY_USED
 *
 * `transition.ts` and `table-store.ts` implement the rules. The memory, SQLite and PostgreSQL stores differ only in
 * their tables; the PostgreSQL store is in a separate package.
 */
import { type ErrorDetails, type Hash, isHash, SudoAgentError } from '@sudoagent/crypto'
import type { Authority, Commitment, Requirement } from '@sudoagent/crypto/entry'
import type { JsonValue } from '@sudoagent/crypto/json'
import type { JsonObject } from '@sudoagent/ledger/entry'
import { readFields, requireText } from '../check.js'

/**
 * The default time that an approver has to answer, in milliseconds. It is long enough to read the request, and short
 * enough that the request still describes the current situation.
 */
export const APPROVAL_TTL_MS_DEFAULT = 300_000

/**
 * The maximum time for an approval, in milliseconds. After an hour, the situation that the approver saw may have
 * changed.
 */
export const APPROVAL_TTL_MS_MAX = 3_600_000

/**
 * The maximum lifetime of a question is longer than that of other requests, because the ledger has the question, and
 * checks at the append of the decision whether the call may still run.
 */
export { QUESTION_TTL_MS_MAX } from '@sudoagent/crypto/entry'

/**
 * The lifetime of a lease, in milliseconds. A waiter renews its lease three times in this time, so a pause of a few
 * seconds does not end the lease, and the question of a killed process is free soon.
 */
export const LEASE_MS = 10_000

/** The ledger's limits for these fields, so that every request fits into its ledger entry. */
export const REQUEST_ID_LENGTH_MAX = 128
export const NAME_LENGTH_MAX = 256
export const REASON_LENGTH_MAX = 4_096

/** Identifies exactly one call. The decision hash covers the action and the parameters. */
export interface ApprovalBinding {
  readonly requestId: string
  readonly policyHash: Hash
  readonly decisionHash: Hash
}

/** The values of a request that only the hashes of its call need. */
export interface RequestedDecision {
  /** `created_at` of the decision entry, a ledger timestamp. */
  readonly decisionAt: string
  /** `actor.source` of the decision entry. */
  readonly source: string
  /** SHA-256 of the canonical authority; null for a call without one. */
  readonly authorityHash: Hash | null
}

/** The entry `asked` of a request. Absent for a ledger that does not record questions. */
export interface AskedRequest {
  /** `entry_hash` of the first entry of the ledger. */
  readonly ledger: Hash
  /** The position of the question's entry. */
  readonly position: number
  readonly requirement: Requirement
  /** SHA-256 of the canonical requirement. */
  readonly requirementHash: Hash
  /** How many values and keys of the call are recorded as something other than themselves. */
  readonly redacted: number
  readonly policyId: string
  readonly policyVersion: string | null
  /** The caller's metadata, as the decision entry will have it. */
  readonly metadata: JsonObject
  readonly commitment?: Commitment
}

/**
 * A request to an approver, redacted and deeply frozen. Each read of a date returns a new `Date`, so that changing the
 * `Date` does not change the request.
 */
export interface ApprovalRequest {
  /** The request id of the call. A guarded call has at most one approval request. */
  readonly approvalId: string
  readonly binding: ApprovalBinding
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  /**
   * For whom the agent calls. Absent if nothing is known. An approval store returns this member and `decision` only
   * for a request with `asked`.
   */
  readonly authority?: Authority
  /**
   * The other values that the hashes of the call cover, so that an approver can recompute the hashes from what it
   * shows.
   */
  readonly decision?: RequestedDecision
  /** Present if the ledger recorded the question before an approver was asked; then, `decision` is present, too. */
  readonly asked?: AskedRequest
  readonly reason: string
  readonly createdAt: Date
  /** Answers at or after this time are not accepted. */
  readonly expiresAt: Date
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'failed'

export const APPROVAL_STATES: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'expired', 'failed']

/**
 * A request and its result. An approver in a different process reads this data; the ledger's approval block contains
 * the same data.
 */
export interface ApprovalRecord extends ApprovalRequest {
  readonly state: ApprovalState
  readonly approverId: string | null
  readonly note: string | null
  readonly resolvedAt: Date | null
  /** Set when the guarded call uses the approval, which can happen only once. */
  readonly consumedAt: Date | null
  /**
   * The end of the waiter's lease, which may have passed (`ApprovalStore.lease`). Null for a question without a waiter,
   * and for every request without `asked`.
   */
  readonly leasedUntil: Date | null
}

/** An approver's answer. Only `true`, or an object whose `approved` is `true`, is an approval. */
export type ApprovalAnswer =
  | boolean
  | {
      readonly approved: boolean
      readonly approverId?: string | null
      readonly reason?: string | null
      /** The binding that the approver saw. If it differs from the call's binding, the approval fails. */
      readonly binding?: ApprovalBinding | null
    }

/**
 * Approves or denies a call. The returned promise must settle when `signal` aborts, which happens when the caller
 * cancels or the request expires. Later answers are ignored. If the approver throws, the call is denied.
 */
export interface Approver {
  approve(
    request: ApprovalRequest,
    options: { readonly signal: AbortSignal; readonly store: ApprovalStore },
  ): ApprovalAnswer | Promise<ApprovalAnswer>
}

/** A condition for attaching to a question, on the recorded metadata of its call. Only `true` attaches. */
export type AttachCheck = (question: { readonly requestId: string; readonly metadata: JsonObject }) => boolean

/** The result that settles a pending record. */
export interface ApprovalResolution {
  readonly state: Exclude<ApprovalState, 'pending'>
  readonly approverId?: string | null
  readonly note?: string | null
  /**
   * The binding that the approver saw. If it differs from the record's binding, the resolution is rejected and the
   * record becomes `failed`.
   */
  readonly binding?: ApprovalBinding | null
}

/** A filter for `list`. */
export interface ApprovalFilter {
  readonly state?: ApprovalState
  /** 1…`APPROVAL_LIST_MAX`. Default: 100. */
  readonly limit?: number
  /** Returns only questions of the ledger whose first entry has this `entry_hash`. */
  readonly ledger?: Hash
  /** Returns only requests of exactly this agent. */
  readonly agentId?: string
  /** Returns only requests for exactly this action. */
  readonly action?: string
  /**
   * Called for each question that is left out because its row was changed: it is not valid, or does not show the call
   * that its hashes cover. The id is as stored, and untrusted.
   */
  readonly onInvalid?: (approvalId: string) => void
}

/** The maximum number of records in one list. One record can be a megabyte, and the whole list is in memory. */
export const APPROVAL_LIST_MAX = 200
export const APPROVAL_LIST_DEFAULT = 100

/**
 * The time that settled records are kept, in milliseconds: a day, so that people can look them up. The ledger keeps the
 * evidence.
 */
export const APPROVAL_RETENTION_MS = 86_400_000

/**
 * Stores approval requests and their results. Every method uses its `now` parameter to decide whether a record has
 * expired, throws `TypeError` for arguments of the wrong shape and rejects with `ApprovalStoreError` for all other
 * errors.
 */
export interface ApprovalStore {
  /**
   * Inserts a pending record. If the same request is already stored, its current record is returned. A different
   * request with the same id is rejected with `APPROVAL_BINDING_MISMATCH`.
   *
   * @param holder - the waiter of a new question, which has its lease from the start (`lease`). Default: none
   */
  create(request: ApprovalRequest, now: Date, holder?: string): Promise<ApprovalRecord>
  /** Returns the record. A pending record whose deadline has passed is returned as expired. */
  get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined>
  /**
   * Settles a pending record. If the record is already settled with the requested state, it is returned unchanged. A
   * different state is rejected.
   */
  resolve(approvalId: string, resolution: ApprovalResolution, now: Date): Promise<ApprovalRecord>
  /**
   * Marks an approval as used. The record must be approved, unused and bound to exactly this call, and must not have
   * expired. A request with `asked` may have expired: its use is the decision in the ledger, and this call only
   * follows it.
   */
  consume(approvalId: string, binding: ApprovalBinding, now: Date): Promise<ApprovalRecord>
  /** Returns records, newest first. Questions whose rows were changed are left out, see `onInvalid`. */
  list(filter: ApprovalFilter, now: Date): Promise<readonly ApprovalRecord[]>
  /**
   * Makes `holder` the waiter of a question for `LEASE_MS` from now, or extends its lease. A lease does not change the
   * state. The question must be open: pending, or approved and unused.
   *
   * @param holder - 1…128 characters: the random id of an engine
   * @returns false while the lease of a different holder is valid, and if the id is not that of an open question
   */
  lease?(approvalId: string, holder: string, now: Date): Promise<boolean>
  /**
   * Extends the leases of all open questions whose waiter is `holder`, in one statement. A lease that has ended is
   * extended, too, unless a different holder has taken it.
   */
  renewLeases?(holder: string, now: Date): Promise<void>
  /** Ends the lease of a question, if `holder` has it. Otherwise, nothing changes. */
  endLease?(approvalId: string, holder: string, now: Date): Promise<void>
  /** Closes the store. Later calls are rejected with `APPROVAL_STORE_FAILED`. */
  close(): Promise<void>
}

export type ApprovalStoreErrorCode =
  | 'APPROVAL_NOT_FOUND'
  | 'APPROVAL_EXPIRED'
  | 'APPROVAL_ALREADY_RESOLVED'
  | 'APPROVAL_ALREADY_USED'
  | 'APPROVAL_NOT_APPROVED'
  | 'APPROVAL_BINDING_MISMATCH'
  | 'APPROVAL_STORE_FAILED'

const HINTS: Readonly<Record<ApprovalStoreErrorCode, string>> = {
  APPROVAL_NOT_FOUND: '`sudoagent approvals list` shows the open approvals',
  APPROVAL_EXPIRED: 'repeat the call to ask again',
  APPROVAL_ALREADY_RESOLVED: 'only the first answer counts; repeat the call to ask again',
  APPROVAL_ALREADY_USED: 'an approval is valid for one call; repeat the call to ask again',
  APPROVAL_NOT_APPROVED: 'wait until the call is approved',
  APPROVAL_BINDING_MISMATCH: 'approve the request that belongs to this call',
  APPROVAL_STORE_FAILED: 'check the store and its write permissions',
}

export class ApprovalStoreError extends SudoAgentError<ApprovalStoreErrorCode> {
  override readonly name = 'ApprovalStoreError'

  constructor(code: ApprovalStoreErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...details, hint: details.hint ?? HINTS[code] })
  }
}

/**
 * Validates a binding.
 *
 * @returns a frozen copy.
 * @throws TypeError if a field is missing, unknown or invalid
 */
export function parseBinding(value: unknown): ApprovalBinding {
  const fields = readFields('approval binding', value, ['requestId', 'policyHash', 'decisionHash'])
  const requestId = requireText('requestId', fields.get('requestId'), REQUEST_ID_LENGTH_MAX)
  const policyHash = fields.get('policyHash')
  const decisionHash = fields.get('decisionHash')
  if (!isHash(policyHash)) throw new TypeError('`policyHash` must be 64 lower-case hex digits')
  if (!isHash(decisionHash)) throw new TypeError('`decisionHash` must be 64 lower-case hex digits')
  return Object.freeze({ requestId, policyHash, decisionHash })
}

export function sameBinding(a: ApprovalBinding, b: ApprovalBinding): boolean {
  return a.requestId === b.requestId && a.policyHash === b.policyHash && a.decisionHash === b.decisionHash
}
