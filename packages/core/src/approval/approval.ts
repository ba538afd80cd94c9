import { encodeJcs, type Hash, isHash, type JsonValue, parseJson } from '@sudoagent/crypto'
import { readFields, requireInstantMs, requireInteger, requireText } from '../check.js'

/** How long an approver has unless the call says otherwise: long enough to be found and to read, short enough that what was asked is still so. */
export const APPROVAL_TTL_MS_DEFAULT = 300_000

/** Nobody may hold a decision open for longer: an approval that is older than an hour answers a question about another world. */
export const APPROVAL_TTL_MS_MAX = 3_600_000

/** The same bounds as in the ledger: what an approver may see also fits the entry that says so. */
export const REQUEST_ID_CHARACTERS_MAX = 128
export const NAME_CHARACTERS_MAX = 256
export const REASON_CHARACTERS_MAX = 4_096
export const PARAMETERS_BYTES_MAX = 1024 * 1024

/** What exactly was approved: this call, under this policy, with this intent and these parameters. */
export interface ApprovalBinding {
  readonly requestId: string
  readonly policyHash: Hash
  readonly decisionHash: Hash
}

/** A question to an approver, redacted and deeply frozen. Reading a date gives a fresh `Date`: changing it changes nothing here. */
export interface ApprovalRequest {
  /** The request id: one guarded call asks at most once. */
  readonly approvalId: string
  readonly binding: ApprovalBinding
  readonly action: string
  readonly agentId: string
  readonly args: readonly JsonValue[]
  readonly kwargs: Readonly<Record<string, JsonValue>>
  readonly reason: string
  readonly createdAt: Date
  /** From this instant on no answer counts. */
  readonly expiresAt: Date
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'failed'

export const APPROVAL_STATES: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'expired', 'failed']

/** A request and what became of it: everything that an approver in another terminal needs, and that the ledger's approval block says. */
export interface ApprovalRecord extends ApprovalRequest {
  readonly state: ApprovalState
  readonly approverId: string | null
  readonly note: string | null
  readonly resolvedAt: Date | null
  /** Set once, when the guarded call used the approval. */
  readonly consumedAt: Date | null
}

/** What an approver may answer. Only `true`, or an object whose `approved` is `true`, approves. */
export type ApprovalAnswer =
  | boolean
  | {
      readonly approved: boolean
      readonly approverId?: string | null
      readonly reason?: string | null
      /** What the approver saw; when it is not what the call is bound to, the approval fails. */
      readonly binding?: ApprovalBinding | null
    }

/**
 * Says yes or no to a call. It must come to an end when `signal` aborts, which happens when the caller gives up or the
 * request expires; whatever it says after that is not heard. An approver that throws denies.
 */
export interface Approver {
  approve(
    request: ApprovalRequest,
    options: { readonly signal: AbortSignal; readonly store: ApprovalStore },
  ): ApprovalAnswer | Promise<ApprovalAnswer>
}

/** How a pending record is settled. */
export interface ApprovalResolution {
  readonly state: Exclude<ApprovalState, 'pending'>
  readonly approverId?: string | null
  readonly note?: string | null
  /** What the approver saw. A mismatch is refused and the record becomes `failed`. */
  readonly binding?: ApprovalBinding | null
}

/** A filter for `list`; `limit` is 1…`APPROVAL_LIST_MAX`, 100 unless given. */
export interface ApprovalFilter {
  readonly state?: ApprovalState
  readonly limit?: number
}

/** One record can be a megabyte: this many at a time is as much as a listing may hold in memory. */
export const APPROVAL_LIST_MAX = 200
export const APPROVAL_LIST_DEFAULT = 100

/** Finished records are kept for a day so that a person can see what happened; the evidence is in the ledger. */
export const APPROVAL_RETENTION_MS = 86_400_000

/**
 * Where requests wait for their answer. Every method decides expiry by the `now` it is given, throws `TypeError` for
 * arguments of the wrong shape and rejects with `ApprovalStoreError` for everything else.
 */
export interface ApprovalStore {
  /** Puts a pending record in. The same request again gives the record as it stands; another one under its id is a `APPROVAL_BINDING_MISMATCH`. */
  create(request: ApprovalRequest, now: Date): Promise<ApprovalRecord>
  /** A pending record past its deadline reads as expired. */
  get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined>
  /** Settles a pending record. The same state again gives the record as the first one left it; another state is refused. */
  resolve(approvalId: string, resolution: ApprovalResolution, now: Date): Promise<ApprovalRecord>
  /** Uses an approval, once: approved, not used, not expired, and bound to exactly this call; otherwise refused. */
  consume(approvalId: string, binding: ApprovalBinding, now: Date): Promise<ApprovalRecord>
  /** The newest first. */
  list(filter: ApprovalFilter, now: Date): Promise<readonly ApprovalRecord[]>
  /** Everything after it is refused with `APPROVAL_STORE_FAILED`. */
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

export class ApprovalStoreError extends Error {
  override readonly name = 'ApprovalStoreError'
  readonly code: ApprovalStoreErrorCode

  constructor(code: ApprovalStoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** @returns `ttlMs`. @throws TypeError when it is no integer from 1 up, RangeError when it is above the cap: a longer one is refused, never clipped. */
export function requireApprovalTtlMs(ttlMs: unknown): number {
  const ms = requireInteger('approvalTtlMs', ttlMs, 1)
  if (ms > APPROVAL_TTL_MS_MAX)
    throw new RangeError(`\`approvalTtlMs\` is ${ms}, at most ${APPROVAL_TTL_MS_MAX} is allowed`)
  return ms
}

/**
 * Makes the request for one call, open for `ttlMs` milliseconds from `now`.
 *
 * @throws TypeError for a field of the wrong shape or beyond its bound, or parameters that are not JSON; RangeError for a `ttlMs` above the cap
 * @example makeApprovalRequest({ binding, action: 'refund', agentId: 'bot', args: [], kwargs: { amount: 500 }, reason: 'high value' }, 300_000, new Date())
 */
export function makeApprovalRequest(
  call: Omit<ApprovalRequest, 'approvalId' | 'createdAt' | 'expiresAt'>,
  ttlMs: number,
  now: Date,
): ApprovalRequest {
  const createdMs = requireInstantMs('now', now)
  const expiresMs = createdMs + requireApprovalTtlMs(ttlMs)
  const parameters = decodeParameters(encodeParameters(call.args, call.kwargs))
  const binding = parseBinding(call.binding)
  return Object.freeze({
    approvalId: binding.requestId,
    binding,
    action: requireText('action', call.action, NAME_CHARACTERS_MAX),
    agentId: requireText('agentId', call.agentId, NAME_CHARACTERS_MAX),
    ...parameters,
    reason: requireText('reason', call.reason, REASON_CHARACTERS_MAX, true),
    get createdAt() {
      return new Date(createdMs)
    },
    get expiresAt() {
      return new Date(expiresMs)
    },
  })
}

/** `{"args":[…],"kwargs":{…}}`, canonical, so that the same parameters are the same text. @throws TypeError when they are not JSON or too large */
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

/** The inverse, deeply frozen. @throws when the text is anything else */
export function decodeParameters(text: string): Pick<ApprovalRequest, 'args' | 'kwargs'> {
  const value = deepFreeze(parseJson(text)) as { args?: unknown; kwargs?: unknown } | null
  const { args, kwargs } = value ?? {}
  if (!Array.isArray(args) || typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs)) {
    throw new TypeError('the parameters are not of the form {args, kwargs}')
  }
  return { args, kwargs: kwargs as Record<string, JsonValue> }
}

/** @returns a frozen copy. @throws TypeError when a field is missing, unknown or of the wrong shape */
export function parseBinding(value: unknown): ApprovalBinding {
  const fields = readFields('approval binding', value, ['requestId', 'policyHash', 'decisionHash'])
  const requestId = requireText('requestId', fields.get('requestId'), REQUEST_ID_CHARACTERS_MAX)
  const policyHash = fields.get('policyHash')
  const decisionHash = fields.get('decisionHash')
  if (!isHash(policyHash)) throw new TypeError('`policyHash` must be 64 lower-case hex digits')
  if (!isHash(decisionHash)) throw new TypeError('`decisionHash` must be 64 lower-case hex digits')
  return Object.freeze({ requestId, policyHash, decisionHash })
}

export function sameBinding(a: ApprovalBinding, b: ApprovalBinding): boolean {
  return a.requestId === b.requestId && a.policyHash === b.policyHash && a.decisionHash === b.decisionHash
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
