// Makes the request of a question: of a call for which the ledger has recorded that an approval is needed, before
// an approver is asked.
import { isHash } from '@sudoagent/crypto'
import {
  type Authority,
  authorityMisfit,
  type Commitment,
  commitmentMisfit,
  isTimestamp,
  type Requirement,
  requirementMisfit,
} from '@sudoagent/crypto/entry'
import { parseJson } from '@sudoagent/crypto/json'
import type { JsonObject } from '@sudoagent/ledger/entry'
import { deepFreeze } from '../arguments/deep-freeze.js'
import { readFields, requireInstantMs, requireInteger, requireText } from '../check.js'
import {
  type ApprovalRequest,
  type AskedRequest,
  NAME_LENGTH_MAX,
  QUESTION_TTL_MS_MAX,
  type RequestedDecision,
} from './approval.js'
import { encodeColumn, METADATA_BYTES_MAX, SMALL_COLUMN_BYTES_MAX } from './json-column.js'
import { requestParts } from './make-request.js'
import { SHOWN_CALL_DIFFERS, showsBoundCall } from './shown.js'

/** A call, and what the ledger has recorded about its question. */
export type AskedCall = Omit<ApprovalRequest, 'approvalId' | 'createdAt' | 'expiresAt'> & {
  readonly decision: RequestedDecision
  readonly asked: AskedRequest
}

/**
 * Creates the approval request of a question. Everything in it is copied and deeply frozen.
 *
 * @param times - `createdAt` is the ledger time of the entry `asked`, and `expiresAt` its `expires_at`, exactly
 * @throws TypeError if a field is missing, invalid or too long, if the parameters or the metadata are not JSON, or if
 *   a hash is not the hash of the values in the request; RangeError if the lifetime is above `QUESTION_TTL_MS_MAX`
 * @example makeAskedRequest({ ...call, decision, asked }, { createdAt, expiresAt })
 */
export function makeAskedRequest(
  call: AskedCall,
  times: { readonly createdAt: Date; readonly expiresAt: Date },
): ApprovalRequest {
  const createdMs = requireInstantMs('createdAt', times.createdAt)
  const expiresMs = requireInstantMs('expiresAt', times.expiresAt)
  if (expiresMs <= createdMs) throw new TypeError('`expiresAt` must be after `createdAt`')
  if (expiresMs - createdMs > QUESTION_TTL_MS_MAX)
    throw new RangeError(`\`expiresAt\` is more than ${QUESTION_TTL_MS_MAX} ms after \`createdAt\``)
  if (call.decision === undefined) throw new TypeError('a request with `asked` must have `decision`')
  if (!isTimestamp(call.decision.decisionAt)) throw new TypeError('`decisionAt` must be a ledger timestamp')
  const request: ApprovalRequest = Object.freeze({
    ...requestParts({ ...call, ...copyOfAuthority(call.authority) }),
    asked: parseAsked(call.asked),
    get createdAt() {
      return new Date(createdMs)
    },
    get expiresAt() {
      return new Date(expiresMs)
    },
  })
  if (!showsBoundCall(request)) throw new TypeError(SHOWN_CALL_DIFFERS)
  return request
}

const ASKED_FIELDS = [
  'ledger',
  'position',
  'requirement',
  'requirementHash',
  'redacted',
  'policyId',
  'policyVersion',
  'metadata',
  'commitment',
] as const satisfies readonly (keyof AskedRequest)[]

function parseAsked(value: unknown): AskedRequest {
  const fields = readFields('`asked` of an approval request', value, ASKED_FIELDS)
  const [ledger, requirementHash] = [fields.get('ledger'), fields.get('requirementHash')]
  if (!isHash(ledger)) throw new TypeError('`ledger` must be 64 lower-case hex digits')
  if (!isHash(requirementHash)) throw new TypeError('`requirementHash` must be 64 lower-case hex digits')
  const version = fields.get('policyVersion')
  const commitment = fields.get('commitment')
  return Object.freeze({
    ledger,
    position: requireInteger('position', fields.get('position'), 1),
    requirement: copyOf('requirement', fields.get('requirement'), requirementMisfit) as Requirement,
    requirementHash,
    redacted: requireInteger('redacted', fields.get('redacted'), 0),
    policyId: requireText('policyId', fields.get('policyId'), NAME_LENGTH_MAX),
    policyVersion: version === null ? null : requireText('policyVersion', version, NAME_LENGTH_MAX, true),
    metadata: copyOf('metadata', fields.get('metadata'), metadataMisfit, METADATA_BYTES_MAX) as JsonObject,
    ...(commitment === undefined
      ? {}
      : { commitment: copyOf('commitment', commitment, commitmentMisfit) as Commitment }),
  })
}

function copyOfAuthority(authority: Authority | undefined): { readonly authority?: Authority } {
  return authority === undefined ? {} : { authority: copyOf('authority', authority, authorityMisfit) as Authority }
}

const metadataMisfit = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'metadata'

/**
 * Copies a value and checks the copy, so that a getter cannot return another value after the check.
 *
 * @param misfit - returns the path of the first invalid member; null if the value is valid
 */
function copyOf(
  name: string,
  value: unknown,
  misfit: (value: unknown) => string | null,
  maxBytes = SMALL_COLUMN_BYTES_MAX,
): unknown {
  const copy = deepFreeze(parseJson(encodeColumn(name, value, maxBytes)))
  const path = misfit(copy)
  if (path !== null) throw new TypeError(`\`${path}\` of an approval request is invalid`)
  return copy
}
