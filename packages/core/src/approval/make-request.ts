// Makes the approval request for one call, as the boundary gives it to the store and the approver.
import { isHash } from '@sudoagent/crypto'
import { readFields, requireInstantMs, requireText } from '../check.js'
import {
  type ApprovalRequest,
  NAME_LENGTH_MAX,
  parseBinding,
  REASON_LENGTH_MAX,
  type RequestedDecision,
} from './approval.js'
import { decodeParameters, encodeParameters } from './json-column.js'
import { requireApprovalTtlMs } from './ttl.js'

/**
 * Creates the approval request for one call of which the ledger does not record the question. The request is open for
 * `ttlMs` milliseconds from `now`.
 *
 * @throws TypeError if a field is invalid or too long, or the parameters are not JSON; RangeError if `ttlMs` is
 *   above the maximum
 * @example makeApprovalRequest({ binding, action: 'refund', agentId: 'bot', args: [], kwargs: { amount: 500 },
 *   reason: 'high value' }, 300_000, new Date())
 */
export function makeApprovalRequest(
  call: Omit<ApprovalRequest, 'approvalId' | 'createdAt' | 'expiresAt' | 'asked'>,
  ttlMs: number,
  now: Date,
): ApprovalRequest {
  const createdMs = requireInstantMs('now', now)
  const expiresMs = createdMs + requireApprovalTtlMs(ttlMs)
  return Object.freeze({
    ...requestParts(call),
    get createdAt() {
      return new Date(createdMs)
    },
    get expiresAt() {
      return new Date(expiresMs)
    },
  })
}

/**
 * The validated members that requests of both forms have, except the times.
 *
 * @throws TypeError if a field is invalid or too long, or the parameters are not JSON
 */
export function requestParts(
  call: Omit<ApprovalRequest, 'approvalId' | 'createdAt' | 'expiresAt' | 'asked'>,
): Omit<ApprovalRequest, 'createdAt' | 'expiresAt' | 'asked'> {
  const parameters = decodeParameters(encodeParameters(call.args, call.kwargs))
  const binding = parseBinding(call.binding)
  return {
    approvalId: binding.requestId,
    binding,
    action: requireText('action', call.action, NAME_LENGTH_MAX),
    agentId: requireText('agentId', call.agentId, NAME_LENGTH_MAX),
    ...parameters,
    ...(call.authority === undefined ? {} : { authority: call.authority }),
    ...(call.decision === undefined ? {} : { decision: parseRequestedDecision(call.decision) }),
    reason: requireText('reason', call.reason, REASON_LENGTH_MAX, true),
  }
}

function parseRequestedDecision(value: unknown): RequestedDecision {
  const fields = readFields('decision of an approval request', value, ['decisionAt', 'source', 'authorityHash'])
  const decisionAt = requireText('decisionAt', fields.get('decisionAt'), NAME_LENGTH_MAX)
  const source = requireText('source', fields.get('source'), NAME_LENGTH_MAX)
  const authorityHash = fields.get('authorityHash')
  if (authorityHash !== null && !isHash(authorityHash))
    throw new TypeError('`authorityHash` must be 64 lower-case hex digits or null')
  return Object.freeze({ decisionAt, source, authorityHash })
}
