/**
 * The stored form of a question: of a request with `asked`. Questions have a table of their own, because an earlier
 * release writes the other table by position.
 *
 * A row has everything that the three hashes of the call cover. Each time a row is read, the hashes are computed again
 * from the row: a row of which another program changed a single value is an error, and is never shown or answered.
 * `actor.principal` is not stored: it is the agent.
 */
import type { Hash } from '@sudoagent/crypto'
import type { Authority, Commitment, Requirement } from '@sudoagent/crypto/entry'
import type { JsonObject } from '@sudoagent/ledger/entry'
import { requireInstantMs, requireInteger, requireText } from '../check.js'
import {
  type ApprovalRecord,
  type ApprovalRequest,
  ApprovalStoreError,
  NAME_LENGTH_MAX,
  QUESTION_TTL_MS_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
} from './approval.js'
import {
  decodeColumn,
  encodeColumn,
  encodeParameters,
  METADATA_BYTES_MAX,
  SMALL_COLUMN_BYTES_MAX,
} from './json-column.js'
import { type AskedCall, makeAskedRequest } from './make-asked-request.js'
import { type ApprovalRow, checkColumns, requireHash, requireTime, toRecord, UNANSWERED, UNLEASED } from './row.js'

/** A question in its stored form: the columns of other requests, and what the ledger has recorded. */
export interface QuestionRow extends ApprovalRow {
  readonly ledger: Hash
  readonly position: number
  readonly decisionAt: string
  readonly source: string
  readonly policyId: string
  readonly policyVersion: string | null
  readonly redacted: number
  readonly authorityHash: Hash | null
  readonly requirementHash: Hash
  readonly authorityJson: string | null
  readonly requirementJson: string
  readonly commitmentJson: string | null
  readonly metadataJson: string
  /** The waiter. Null if nothing waits for the answer; then, `leasedUntilMs` is null, too. */
  readonly leaseHolder: string | null
  readonly leasedUntilMs: number | null
}

/**
 * The columns of the table in each database, with the field and the kind of value: `text` may contain any character,
 * `plain` and `json` have restricted characters. The columns that can be large come last, so that a scan does not read
 * them.
 */
export const QUESTION_COLUMNS = [
  ['approvalId', 'approval_id', 'text'],
  ['ledger', 'ledger', 'plain'],
  ['position', 'position', 'integer'],
  ['createdAtMs', 'created_at_ms', 'integer'],
  ['expiresAtMs', 'expires_at_ms', 'integer'],
  ['state', 'state', 'plain'],
  ['resolvedAtMs', 'resolved_at_ms', 'integer'],
  ['consumedAtMs', 'consumed_at_ms', 'integer'],
  ['leaseHolder', 'lease_holder', 'text'],
  ['leasedUntilMs', 'leased_until_ms', 'integer'],
  ['approverId', 'approver_id', 'text'],
  ['decisionAt', 'decision_at', 'plain'],
  ['source', 'source', 'text'],
  ['action', 'action', 'text'],
  ['agentId', 'agent_id', 'text'],
  ['policyId', 'policy_id', 'text'],
  ['policyVersion', 'policy_version', 'text'],
  ['policyHash', 'policy_hash', 'plain'],
  ['decisionHash', 'decision_hash', 'plain'],
  ['authorityHash', 'authority_hash', 'plain'],
  ['requirementHash', 'requirement_hash', 'plain'],
  ['redacted', 'redacted', 'integer'],
  ['note', 'note', 'text'],
  ['reason', 'reason', 'text'],
  ['authorityJson', 'authority_json', 'plain'],
  ['requirementJson', 'requirement_json', 'plain'],
  ['commitmentJson', 'commitment_json', 'plain'],
  ['metadataJson', 'metadata_json', 'json'],
  ['parametersJson', 'parameters_json', 'json'],
] as const satisfies readonly (readonly [keyof QuestionRow, string, 'text' | 'plain' | 'json' | 'integer'])[]

/**
 * The maximum size of a column, in bytes, by its kind. Another program may have written a text of any length, so a
 * store does not read a longer one. A text of `REASON_LENGTH_MAX` has at most three bytes for each UTF-16 code unit.
 */
export const COLUMN_BYTES_MAX = {
  text: 4 * REASON_LENGTH_MAX,
  plain: SMALL_COLUMN_BYTES_MAX,
  json: METADATA_BYTES_MAX,
} as const

/**
 * How much later than `QUESTION_TTL_MS_MAX` from now a question may end, in milliseconds. Its end is by the clock of
 * the ledger, and the clock of the store may be slow.
 */
const CLOCK_DIFFERENCE_MS_MAX = 3_600_000

/** The maximum length of the id of a lease's holder. */
export const LEASE_HOLDER_LENGTH_MAX = 128

export const isQuestion = (row: ApprovalRow): row is QuestionRow => Object.hasOwn(row, 'requirementHash')

/**
 * Validates the request of a question, which callers may have built themselves, and creates its pending row.
 *
 * @throws as `makeAskedRequest`; RangeError for a deadline that is too far away, `APPROVAL_EXPIRED` if the deadline has
 *   passed
 */
export function pendingQuestion(given: ApprovalRequest, nowMs: number): QuestionRow {
  const request = makeAskedRequest(given as AskedCall, given)
  const { approvalId, binding, decision, asked, authority } = request
  if (decision === undefined || asked === undefined) throw new TypeError('the request is not that of a question')
  if (given.approvalId !== approvalId) throw new TypeError('`approvalId` must be equal to the request id')
  const expiresAtMs = requireInstantMs('expiresAt', request.expiresAt)
  if (expiresAtMs - nowMs > QUESTION_TTL_MS_MAX + CLOCK_DIFFERENCE_MS_MAX)
    throw new RangeError(`\`expiresAt\` is more than ${QUESTION_TTL_MS_MAX} ms away`)
  if (nowMs >= expiresAtMs) throw new ApprovalStoreError('APPROVAL_EXPIRED', 'the approval request has already expired')
  const small = (name: string, value: unknown): string => encodeColumn(name, value, SMALL_COLUMN_BYTES_MAX)
  return Object.freeze({
    approvalId,
    policyHash: binding.policyHash,
    decisionHash: binding.decisionHash,
    action: request.action,
    agentId: request.agentId,
    reason: request.reason,
    parametersJson: encodeParameters(request.args, request.kwargs),
    createdAtMs: requireInstantMs('createdAt', request.createdAt),
    expiresAtMs,
    ...UNANSWERED,
    ...UNLEASED,
    ledger: asked.ledger,
    position: asked.position,
    decisionAt: decision.decisionAt,
    source: decision.source,
    policyId: asked.policyId,
    policyVersion: asked.policyVersion,
    redacted: asked.redacted,
    authorityHash: decision.authorityHash,
    requirementHash: asked.requirementHash,
    authorityJson: authority === undefined ? null : small('authority', authority),
    requirementJson: small('requirement', asked.requirement),
    commitmentJson: asked.commitment === undefined ? null : small('commitment', asked.commitment),
    metadataJson: encodeColumn('metadata', asked.metadata, METADATA_BYTES_MAX),
  })
}

/**
 * Validates a row from a file or a database that other programs may have written, and computes the hashes of its call
 * again. A used question may have been used after its deadline, because its use only follows the ledger.
 *
 * @throws an error of any type if the row is invalid
 */
export function checkQuestion(raw: unknown): QuestionRow {
  const value = raw as Record<keyof QuestionRow, unknown>
  const textOrNull = (name: string, text: unknown, maxLength: number, allowEmpty = false): string | null =>
    text === null ? null : requireText(name, text, maxLength, allowEmpty)
  const row: QuestionRow = {
    ...checkColumns(raw),
    ledger: requireHash('ledger', value.ledger),
    position: requireInteger('position', value.position, 1),
    decisionAt: requireText('decision_at', value.decisionAt, NAME_LENGTH_MAX),
    source: requireText('source', value.source, NAME_LENGTH_MAX),
    policyId: requireText('policy_id', value.policyId, NAME_LENGTH_MAX),
    policyVersion: textOrNull('policy_version', value.policyVersion, NAME_LENGTH_MAX, true),
    redacted: requireInteger('redacted', value.redacted, 0),
    authorityHash: value.authorityHash === null ? null : requireHash('authority_hash', value.authorityHash),
    requirementHash: requireHash('requirement_hash', value.requirementHash),
    authorityJson: textOrNull('authority_json', value.authorityJson, SMALL_COLUMN_BYTES_MAX),
    requirementJson: requireText('requirement_json', value.requirementJson, SMALL_COLUMN_BYTES_MAX),
    commitmentJson: textOrNull('commitment_json', value.commitmentJson, SMALL_COLUMN_BYTES_MAX),
    metadataJson: requireText('metadata_json', value.metadataJson, METADATA_BYTES_MAX),
    leaseHolder: textOrNull('lease_holder', value.leaseHolder, LEASE_HOLDER_LENGTH_MAX),
    leasedUntilMs: value.leasedUntilMs === null ? null : requireTime('leased_until_ms', value.leasedUntilMs),
  }
  if ((row.leaseHolder === null) !== (row.leasedUntilMs === null))
    throw new TypeError('`lease_holder` and `leased_until_ms` must both be null, or neither')
  const record = recordOf(row)
  makeAskedRequest(record as AskedCall, record)
  return Object.freeze(row)
}

/**
 * Validates the rows of a list, and leaves the invalid ones out: one changed row must not hide all questions.
 *
 * @param onInvalid - called with the id of each row that is left out, as stored
 */
export function checkQuestions<Raw extends { readonly approvalId: unknown }>(
  rows: readonly Raw[],
  onInvalid: (approvalId: string) => void,
): readonly QuestionRow[] {
  return rows.flatMap((raw) => {
    try {
      return checkQuestion(raw)
    } catch {
      onInvalid(String(raw.approvalId).slice(0, REQUEST_ID_LENGTH_MAX))
      return []
    }
  })
}

/** @returns the record of a row of either kind */
export function recordOf(row: ApprovalRow): ApprovalRecord {
  return isQuestion(row) ? toRecord(row, askedParts(row), row.leasedUntilMs) : toRecord(row)
}

function askedParts(row: QuestionRow): Pick<ApprovalRequest, 'authority' | 'decision' | 'asked'> {
  const { authorityJson, commitmentJson, policyId, policyVersion } = row
  const small = (name: string, text: string): unknown => decodeColumn(name, text, SMALL_COLUMN_BYTES_MAX)
  return {
    ...(authorityJson === null ? {} : { authority: small('authority_json', authorityJson) as Authority }),
    decision: Object.freeze({
      decisionAt: row.decisionAt,
      source: row.source,
      authorityHash: row.authorityHash,
    }),
    asked: Object.freeze({
      ledger: row.ledger,
      position: row.position,
      requirement: small('requirement_json', row.requirementJson) as Requirement,
      requirementHash: row.requirementHash,
      redacted: row.redacted,
      policyId,
      policyVersion,
      metadata: decodeColumn('metadata_json', row.metadataJson, METADATA_BYTES_MAX) as JsonObject,
      ...(commitmentJson === null ? {} : { commitment: small('commitment_json', commitmentJson) as Commitment }),
    }),
  }
}
