// The statements on the two tables of an approval store.
import type { ApprovalFilter } from '@sudoagent/core'
import { APPROVAL_LIST_DEFAULT, APPROVAL_LIST_MAX, APPROVAL_STATES, LEASE_MS } from '@sudoagent/core/store'
import { isHash } from '@sudoagent/crypto'
import type { Statement } from '../session/session.js'
import { encodeText } from '../session/text-column.js'
import { QUESTION_NAMES, QUESTION_RECORD, QUESTION_SELECTED } from './question-table.js'
import { APPROVAL_COLUMNS, APPROVAL_RECORD } from './table.js'

const TABLES = {
  approval: { names: APPROVAL_COLUMNS, selected: APPROVAL_COLUMNS, record: APPROVAL_RECORD },
  question: { names: QUESTION_NAMES, selected: QUESTION_SELECTED, record: QUESTION_RECORD },
} as const

export type Table = keyof typeof TABLES

/** Maximum number of old rows of each table that a group of calls deletes. */
const PRUNE_ROWS = 100

export const pruneStatement = (schema: string, table: Table, expiredMs: number): Statement => ({
  text: `DELETE FROM ${schema}.${table} WHERE approval_id IN (SELECT approval_id FROM ${schema}.${table} WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT ${PRUNE_ROWS})`,
  values: [expiredMs],
})

export const findStatement = (schema: string, table: Table, ids: readonly string[]): Statement => ({
  text: `SELECT ${TABLES[table].selected} FROM ${schema}.${table} WHERE approval_id = ANY ($1::text[])`,
  values: [ids.map(encodeText)],
})

/** The rules reject an invalid filter; this statement only has to handle an invalid filter safely. */
export function newestStatement(schema: string, table: Table, filter: ApprovalFilter, nowMs: number): Statement {
  const { state: wanted, limit = APPROVAL_LIST_DEFAULT, ledger, agentId, action } = filter ?? {}
  const state = APPROVAL_STATES.find((known) => known === wanted) ?? null
  const rows = Number.isInteger(limit) && limit > 0 && limit <= APPROVAL_LIST_MAX ? limit : 1
  const isQuestion = table === 'question'
  return {
    text: `SELECT ${TABLES[table].selected} FROM ${schema}.${table}
      WHERE ($1::text IS NULL OR $1 = CASE WHEN state = 'pending' AND expires_at_ms <= $2 THEN 'expired' ELSE state END)
        AND ($4::text IS NULL OR agent_id = $4) AND ($5::text IS NULL OR action = $5)
        ${isQuestion ? 'AND ($6::text IS NULL OR ledger = $6)' : ''}
      ORDER BY created_at_ms DESC, ${isQuestion ? 'position DESC, approval_id DESC' : 'number DESC'} LIMIT $3`,
    values: [
      state,
      nowMs,
      rows,
      textOf(agentId),
      textOf(action),
      ...(isQuestion ? [isHash(ledger) ? ledger : null] : []),
    ],
  }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? encodeText(value) : null)

/** Extends the leases of a holder that is still the waiter of open questions. */
export const renewStatement = (schema: string, holder: string, nowMs: number): Statement => ({
  text: `UPDATE ${schema}.question SET leased_until_ms = $2::bigint + ${LEASE_MS}
    WHERE lease_holder = $1 AND consumed_at_ms IS NULL AND (state = 'approved' OR state = 'pending' AND expires_at_ms > $2)`,
  values: [encodeText(holder), nowMs],
})

/** Inserts rows, or replaces the result and the lease of the rows that exist. */
export const writeStatement = (schema: string, table: Table, rows: readonly object[]): Statement => ({
  text: `INSERT INTO ${schema}.${table} (${TABLES[table].names}) SELECT ${TABLES[table].names} FROM json_to_recordset($1) AS given (${TABLES[table].record})
    ON CONFLICT (approval_id) DO UPDATE SET state = excluded.state, approver_id = excluded.approver_id, note = excluded.note,
      resolved_at_ms = excluded.resolved_at_ms, consumed_at_ms = excluded.consumed_at_ms${
        table === 'question' ? ', lease_holder = excluded.lease_holder, leased_until_ms = excluded.leased_until_ms' : ''
      }`,
  values: [JSON.stringify(rows)],
})
