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
import type { Authority } from '@sudoagent/crypto/entry'
import { encodeJcs, type JsonValue, parseJson } from '@sudoagent/crypto/json'
import { deepFreeze } from '../arguments/deep-freeze.js'
import { readFields, requireInteger, requireText } from '../check.js'

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

/** The ledger's limits for these fields, so that every request fits into its ledger entry. */
export const REQUEST_ID_LENGTH_MAX = 128
export const NAME_LENGTH_MAX = 256
export const REASON_LENGTH_MAX = 4_096
export const PARAMETERS_BYTES_MAX = 1024 * 1024

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
  /** For whom the agent calls. Absent if nothing is known, and in requests that an approval store returns. */
  readonly authority?: Authority
  /**
   * The other values that the hashes of the call cover, so that an approver can recompute the hashes from what it
   * shows. Absent in requests that an approval store returns.
   */
  readonly decision?: RequestedDecision
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

/** A filter for `list`. `limit` is 1…`APPROVAL_LIST_MAX`; default: 100. */
export interface ApprovalFilter {
  readonly state?: ApprovalState
  readonly limit?: number
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
   */
  create(request: ApprovalRequest, now: Date): Promise<ApprovalRecord>
  /** Returns the record. A pending record whose deadline has passed is returned as expired. */
  get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined>
  /**
   * Settles a pending record. If the record is already settled with the requested state, it is returned unchanged. A
   * different state is rejected.
   */
  resolve(approvalId: string, resolution: ApprovalResolution, now: Date): Promise<ApprovalRecord>
  /** Marks an approval as used. The record must be approved, unused, not expired, and bound to exactly this call. */
  consume(approvalId: string, binding: ApprovalBinding, now: Date): Promise<ApprovalRecord>
  /** Returns records, newest first. */
  list(filter: ApprovalFilter, now: Date): Promise<readonly ApprovalRecord[]>
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
 * Validates a time limit for approvals. A limit above the maximum is rejected, not reduced.
 *
 * @returns `ttlMs`
 * @throws TypeError if it is not a positive integer; RangeError if it is above `APPROVAL_TTL_MS_MAX`
 */
export function requireApprovalTtlMs(ttlMs: unknown): number {
  const ms = requireInteger('approvalTtlMs', ttlMs, 1)
  if (ms > APPROVAL_TTL_MS_MAX)
    throw new RangeError(`\`approvalTtlMs\` is ${ms}, the maximum is ${APPROVAL_TTL_MS_MAX}`)
  return ms
}

/**
 * Encodes parameters as canonical JSON, `{"args":[…],"kwargs":{…}}`, so that equal parameters give equal strings.
 *
 * @throws TypeError if the parameters are not JSON or are too large
 */
export function encodeParameters(args: unknown, kwargs: unknown): string {
  if (!Array.isArray(args)) throw new TypeError('`args` must be an array')
  if (typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs))
    throw new TypeError('`kwargs` must be an object')
  let text: string
  try {
    text = encodeJcs({ args, kwargs })
  } catch (error) {
    throw new TypeError('the parameters are not JSON', { cause: error })
  }
  if (Buffer.byteLength(text) > PARAMETERS_BYTES_MAX)
    throw new TypeError(`the parameters are larger than ${PARAMETERS_BYTES_MAX} bytes`)
  return text
}

/**
 * Decodes the result of `encodeParameters`. The returned parameters are deeply frozen.
 *
 * @throws if the text is invalid
 */
export function decodeParameters(text: string): Pick<ApprovalRequest, 'args' | 'kwargs'> {
  const value = deepFreeze(parseJson(text)) as { args?: unknown; kwargs?: unknown } | null
  const { args, kwargs } = value ?? {}
  if (!Array.isArray(args) || typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs)) {
    throw new TypeError('the parameters are not of the form {args, kwargs}')
  }
  return { args, kwargs: kwargs as Record<string, JsonValue> }
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
