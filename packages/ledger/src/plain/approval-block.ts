// Reads the approval of a line in canonical order. Approvals have separate rules, which need the values.
import { isHash } from '@sudoagent/crypto'
import { assertedRequirement, NAME_LENGTH_MAX, REQUEST_ID_LENGTH_MAX } from '@sudoagent/crypto/entry'
import type { ApprovalBlock, BindingBlock } from '../entry/entry.js'
import type { LineCursor } from './line-cursor.js'

const MOMENT_CHARS = 64
const HASH_CHARS = 64

/** Reads an approval after its opening brace. @returns null if the approval is not recognised */
export function readApproval(cursor: LineCursor): ApprovalBlock | null {
  const id = cursor.word('"approval_id":"') && cursor.name(NAME_LENGTH_MAX) ? cursor.taken() : undefined
  const approver = textOrNull(cursor, ',"approver_id":', NAME_LENGTH_MAX)
  const binding = readBinding(cursor)
  const created = textOrNull(cursor, ',"created_at":', MOMENT_CHARS)
  const expires = textOrNull(cursor, ',"expires_at":', MOMENT_CHARS)
  const asked = readAsked(cursor)
  const resolved = textOrNull(cursor, ',"resolved_at":', MOMENT_CHARS)
  const state = cursor.word(',"state":"') && cursor.name(NAME_LENGTH_MAX) ? cursor.taken() : undefined
  if (asked === null || (asked !== undefined && !cursor.word(',"statements":[]'))) return null
  if (id === undefined || approver === undefined || binding === undefined || created === undefined) return null
  if (expires === undefined || resolved === undefined || state === undefined || !cursor.word('}')) return null
  return {
    approval_id: id,
    state,
    approver_id: approver,
    created_at: created,
    resolved_at: resolved,
    expires_at: expires,
    binding,
    ...asked,
  }
}

/**
 * Reads the members of an approval that was recorded as a question first.
 *
 * @returns undefined if the approval has none of them; null if they are not recognised
 */
function readAsked(
  cursor: LineCursor,
): Pick<ApprovalBlock, 'redacted' | 'registry' | 'requirement'> | undefined | null {
  if (!cursor.word(',"redacted":')) return undefined
  const start = cursor.at
  if (!cursor.integer() || !cursor.word(ASSERTED)) return null
  const redacted = Number(cursor.text.slice(start, cursor.at - ASSERTED.length))
  if (cursor.word('null}')) return { redacted, registry: null, requirement: assertedRequirement(null) }
  if (!cursor.word('"') || !cursor.name(NAME_LENGTH_MAX) || !cursor.word('}')) return null
  return { redacted, registry: null, requirement: assertedRequirement(cursor.taken()) }
}

/** An approval by anybody. Other requirements are read in full. */
const ASSERTED =
  ',"registry":null,"requirement":{"assurance":"asserted","factors":[{"approvals":1,"group":null}],"registry_hash":null,"rule":'

/** Undefined if the value is not recognised. */
function readBinding(cursor: LineCursor): BindingBlock | null | undefined {
  if (cursor.word(',"binding":null')) return null
  const decisionHash = cursor.word(',"binding":{"decision_hash":"') && cursor.string(HASH_CHARS) ? cursor.taken() : ''
  if (!isHash(decisionHash)) return undefined
  const policyHash = cursor.word(',"policy_hash":"') && cursor.name(NAME_LENGTH_MAX) ? cursor.taken() : undefined
  const requestId = cursor.word(',"request_id":"') && cursor.string(REQUEST_ID_LENGTH_MAX) ? cursor.taken() : undefined
  if (policyHash === undefined || requestId === undefined || !cursor.word('}')) return undefined
  return { request_id: requestId, policy_hash: policyHash, decision_hash: decisionHash }
}

/** Undefined if the value is not recognised. */
function textOrNull(cursor: LineCursor, key: string, maxLength: number): string | null | undefined {
  if (!cursor.word(key)) return undefined
  if (cursor.word('null')) return null
  return cursor.word('"') && cursor.string(maxLength) ? cursor.taken() : undefined
}
