/**
 * Entries written by the PyPI package `sudoagent` 2.0.0. The package predates the format of this project but also
 * uses the version "2.0", so its entries are recognised by their members:
 *
 *     {"action":"app.refund","agent_id":"bot","approval":null,"created_at":"…","decision":{"decision_hash":"…",
 *      "effect":"allow","policy_hash":"…","policy_id":"app.Policy","reason":"…","reason_code":"…"},"entry_hash":"…",
 *      "event":"decision","ledger_version":"2.0","metadata":{"agent_id":"bot","args":["1"],"decision_hash":"…",
 *      "kwargs":{},"policy_hash":"…","policy_id":"app.Policy","reason_code":"…"},"prev_entry_hash":null,
 *      "request_id":"…","schema_version":"2.0"}
 *
 * These entries do not have the members `parameters`, `actor`, `budget` and `policy_version`. The parameters are
 * strings in `metadata`, and the approval block is different. The package does not limit the length of strings, so
 * the checks limit only the length of the line.
 */

import { type Hash, isHash, sha256Hex } from '../bytes/hash.js'
import { scanJson } from '../json/scan.js'
import type { Members } from './entry-hash.js'
import { type Check, type Fields, isObject, own } from './fields.js'

const fieldsOf = (fields: Fields, name: string): Fields => {
  const value = own(fields, name)
  return isObject(value) ? value : {}
}
const isText = (value: unknown): value is string => typeof value === 'string'
const isName = (value: unknown): boolean => isText(value) && value !== ''
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)

/** The actor that the package uses in its hashes for every agent. */
export const PYPI_ACTOR = { principal: 'unknown', source: 'python' } as const

/** Members that occur only in entries written by this project. */
const OTHER_MEMBERS = ['parameters', 'actor', 'budget']

/** Reports whether a parsed call entry has the PyPI shape. `pypiMisfit` then validates its fields. */
export function isPypiEntry(entry: object): boolean {
  const fields = entry as Fields
  const decision = own(fields, 'decision')
  return (
    OTHER_MEMBERS.every((name) => own(fields, name) === undefined) &&
    isObject(decision) &&
    own(decision, 'policy_version') === undefined
  )
}

const DECISION: readonly (readonly [string, Check])[] = [
  ['reason', isText],
  ['reason_code', isTextOrNull],
  ['policy_id', isName],
  ['policy_hash', isHash],
  ['decision_hash', isHash],
]
const OUTCOME: readonly (readonly [string, Check])[] = [
  ['status', (value) => value === 'success' || value === 'error'],
  ['error_type', isTextOrNull],
  ['error', isTextOrNull],
]

/**
 * Validates the fields of an entry in the PyPI shape, except `request_id`, `created_at`, the entry hashes and the
 * signature, which are the same in both shapes.
 *
 * @returns the path of the first invalid field, or null if all fields are valid
 */
export function pypiMisfit(entry: object): string | null {
  const fields = entry as Fields
  const metadata = own(fields, 'metadata')
  const isDecision = own(fields, 'event') === 'decision'
  if (!isName(own(fields, 'action'))) return 'action'
  if (!isName(own(fields, 'agent_id'))) return 'agent_id'
  if (!isObject(metadata)) return 'metadata'
  if (!Array.isArray(own(metadata, 'args'))) return 'metadata.args'
  if (!isObject(own(metadata, 'kwargs'))) return 'metadata.kwargs'
  const decision = fieldsOf(fields, 'decision')
  const blockMisfit =
    misfit(decision, DECISION, 'decision') ??
    (isDecision ? null : misfit(fieldsOf(fields, 'outcome'), OUTCOME, 'outcome'))
  if (blockMisfit !== null || !isDecision) return blockMisfit
  const effect = own(decision, 'effect')
  if (effect !== 'allow' && effect !== 'deny') return 'decision.effect'
  return repeatMisfit(fields, decision, metadata) ?? approvalMisfit(own(fields, 'approval'), metadata)
}

function misfit(value: Fields, shape: typeof DECISION, path: string): string | null {
  const found = shape.find(([name, check]) => !check(own(value, name)))
  return found === undefined ? null : `${path}.${found[0]}`
}

/** Checks that values stored twice in a decision are equal. */
function repeatMisfit(fields: Fields, decision: Fields, metadata: Fields): string | null {
  for (const name of ['decision_hash', 'policy_hash', 'policy_id'])
    if (own(metadata, name) !== own(decision, name)) return `metadata.${name}`
  if (own(metadata, 'agent_id') !== own(fields, 'agent_id')) return 'metadata.agent_id'
  return (own(metadata, 'reason_code') ?? null) === own(decision, 'reason_code') ? null : 'metadata.reason_code'
}

/** Checks the approval, which is also stored twice. */
function approvalMisfit(approval: unknown, metadata: Fields): string | null {
  if (approval === null) {
    return ['approval_binding', 'approved', 'approver_id'].every((name) => own(metadata, name) === undefined)
      ? null
      : 'approval'
  }
  if (!isObject(approval)) return 'approval'
  const binding = own(approval, 'binding')
  if (typeof own(approval, 'approved') !== 'boolean') return 'approval.approved'
  const approver = own(approval, 'approver_id')
  if (approver !== undefined && !isName(approver)) return 'approval.approver_id'
  if (!isObject(binding) || !Object.values(binding).every(isText)) return 'approval.binding'
  if (own(metadata, 'approved') !== own(approval, 'approved')) return 'metadata.approved'
  if (own(metadata, 'approver_id') !== approver) return 'metadata.approver_id'
  return isSame(binding, own(metadata, 'approval_binding')) ? null : 'metadata.approval_binding'
}

function isSame(texts: Fields, other: unknown): boolean {
  if (!isObject(other)) return false
  const names = Object.keys(texts)
  return names.length === Object.keys(other).length && names.every((name) => own(other, name) === texts[name])
}

/** Computes `policy_hash` as the PyPI package does: the hash covers only the policy name. */
export function pypiPolicyHash(policyId: string): Hash {
  return sha256Hex(`{"policy":${JSON.stringify(policyId)}}`)
}

const BUDGET_CODES: readonly unknown[] = [
  'BUDGET_EXCEEDED_AGENT_RATE',
  'BUDGET_EXCEEDED_TOOL_RATE',
  'BUDGET_EVALUATION_FAILED',
]

/**
 * Reports whether the `decision_hash` of a decision in the PyPI shape covers a time that is not recorded. For a
 * call denied by a budget, the package computes the hash before it consults the budget, and sets `created_at`
 * afterwards. The hash of such a denial therefore cannot be recomputed. No outcome depends on that hash, because no
 * outcome may follow a denial.
 */
export function isPypiBudgetDenial(entry: object): boolean {
  const fields = entry as Fields
  const decision = fieldsOf(fields, 'decision')
  return (
    isPypiEntry(entry) &&
    own(decision, 'effect') === 'deny' &&
    own(fields, 'approval') === null &&
    own(fieldsOf(fields, 'metadata'), 'policy_decision') === 'require_budget' &&
    BUDGET_CODES.includes(own(decision, 'reason_code'))
  )
}

/**
 * Reports whether a decision in the PyPI shape states that the policy required an approval. If so, an allowed call
 * must have an approval.
 */
export function pypiAsksForApproval(entry: object): boolean {
  return own(fieldsOf(entry as Fields, 'metadata'), 'policy_decision') === 'require_approval'
}

/**
 * Extracts the canonical JSON of the call parameters from an entry line. The source is the member `parameters` or,
 * in entries of the PyPI package, the members `args` and `kwargs` of `metadata`.
 *
 * @param line - a canonical line
 * @returns null if the line does not contain parameters in either form
 */
export function parametersText(line: string, members: Members): string | null {
  const span = members.get('parameters')
  if (span !== undefined) return line.slice(...span)
  const metadata = line.slice(...(members.get('metadata') ?? [0, 0]))
  if (!metadata.startsWith('{')) return null
  const { members: inner } = scanJson(metadata)
  const [args, kwargs] = [inner.get('args'), inner.get('kwargs')]
  if (args === undefined || kwargs === undefined) return null
  return `{"args":${metadata.slice(...args)},"kwargs":${metadata.slice(...kwargs)}}`
}
