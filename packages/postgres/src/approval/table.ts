// Implements the synchronous table that the approval rules need. The rows for a group of calls are loaded before
// the rules run, and the changed rows are written afterwards.
import { type ApprovalState, ApprovalStoreError } from '@sudoagent/core'
import { type ApprovalRow, type ApprovalTable, checkRow } from '@sudoagent/core/store'
import { decodeText, encodeText } from '../session/text-column.js'
import type { StagedQuestions } from './question-table.js'

export type StoredApproval = { readonly [column in (typeof COLUMNS)[number][1]]: string | null }

/** Field, column and kind: `text` may contain any character, `plain` has restricted characters, `ms` is a time. */
const COLUMNS = [
  ['approvalId', 'approval_id', 'text'],
  ['policyHash', 'policy_hash', 'plain'],
  ['decisionHash', 'decision_hash', 'plain'],
  ['action', 'action', 'text'],
  ['agentId', 'agent_id', 'text'],
  ['reason', 'reason', 'text'],
  ['parametersJson', 'parameters_json', 'plain'],
  ['createdAtMs', 'created_at_ms', 'ms'],
  ['expiresAtMs', 'expires_at_ms', 'ms'],
  ['state', 'state', 'plain'],
  ['approverId', 'approver_id', 'text'],
  ['note', 'note', 'text'],
  ['resolvedAtMs', 'resolved_at_ms', 'ms'],
  ['consumedAtMs', 'consumed_at_ms', 'ms'],
] as const

export const APPROVAL_COLUMNS = COLUMNS.map(([, column]) => column).join(', ')

/** The column definitions for `json_to_recordset`. */
export const APPROVAL_RECORD = COLUMNS.map(([, column, kind]) => `${column} ${kind === 'ms' ? 'bigint' : 'text'}`).join(
  ', ',
)

/**
 * Validates a row, because other programs can also write to the table.
 *
 * @throws ApprovalStoreError if the rules cannot have written the row
 */
export function fromColumns(row: StoredApproval): ApprovalRow {
  const value = (text: string | null, kind: 'text' | 'plain' | 'ms'): unknown => {
    if (text === null) return null
    return kind === 'ms' ? Number(text) : kind === 'text' ? decodeText(text) : text
  }
  try {
    return checkRow(Object.fromEntries(COLUMNS.map(([name, column, kind]) => [name, value(row[column], kind)])))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ApprovalStoreError('APPROVAL_STORE_FAILED', `the table contains an invalid approval: ${why}`, { cause })
  }
}

export function toColumns(row: ApprovalRow): object {
  const text = (value: string | number | null, kind: string): unknown =>
    kind === 'text' && typeof value === 'string' ? encodeText(value) : value
  return Object.fromEntries(COLUMNS.map(([name, column, kind]) => [column, text(row[name], kind)]))
}

export class StagedApprovals implements ApprovalTable {
  readonly #rows = new Map<string, ApprovalRow>()
  readonly #changed = new Set<string>()
  /** The rows for `newest`, loaded for a `list` call. */
  listed: readonly ApprovalRow[] = []
  readonly questions: StagedQuestions

  constructor(rows: readonly ApprovalRow[], questions: StagedQuestions) {
    this.questions = questions
    for (const row of rows) this.#rows.set(row.approvalId, row)
  }

  changed(): readonly ApprovalRow[] {
    return [...this.#changed].flatMap((id) => this.#rows.get(id) ?? [])
  }

  /** The rules write at most one row, as their last step, so a rollback is not needed. */
  write<T>(work: () => T): T {
    return work()
  }

  read<T>(work: () => T): T {
    return work()
  }

  find(approvalId: string): ApprovalRow | undefined {
    return this.#rows.get(approvalId)
  }

  insert(row: ApprovalRow): void {
    this.#put(row)
  }

  update(_before: ApprovalRow, after: ApprovalRow): void {
    this.#put(after)
  }

  newest(_state: ApprovalState | null, limit: number): readonly ApprovalRow[] {
    return this.listed.slice(0, limit)
  }

  /** Does nothing: the statement that loads the rows also deletes old rows. */
  prune(): void {}

  close(): void {}

  #put(row: ApprovalRow): void {
    this.#rows.set(row.approvalId, row)
    this.#changed.add(row.approvalId)
  }
}
