// The table of questions. A database of an earlier release does not have it: its approvals work as before, and
// questions are refused.
import { ApprovalStoreError } from '@sudoagent/core'
import {
  COLUMN_BYTES_MAX,
  checkQuestion,
  checkQuestions,
  QUESTION_COLUMNS,
  type QuestionQuery,
  type QuestionRow,
  type QuestionTable,
} from '@sudoagent/core/store'
import { decodeText, encodeText } from '../session/text-column.js'

export type StoredQuestion = { readonly [column in (typeof QUESTION_COLUMNS)[number][1]]: string | null }

export const QUESTION_NAMES = QUESTION_COLUMNS.map(([, column]) => column).join(', ')

/** Another program may have written a text of any length, of which no more is read than makes the row invalid. */
export const QUESTION_SELECTED = QUESTION_COLUMNS.map(([, column, kind]) =>
  kind === 'integer' ? column : `left(${column}, ${COLUMN_BYTES_MAX[kind] + 1}) AS ${column}`,
).join(', ')

/** The column definitions for `json_to_recordset`. */
export const QUESTION_RECORD = QUESTION_COLUMNS.map(
  ([, column, kind]) => `${column} ${kind === 'integer' ? 'bigint' : 'text'}`,
).join(', ')

export function toQuestionColumns(row: QuestionRow): object {
  const encoded = (value: string | number | null, kind: string): unknown =>
    kind === 'text' && typeof value === 'string' ? encodeText(value) : value
  return Object.fromEntries(QUESTION_COLUMNS.map(([name, column, kind]) => [column, encoded(row[name], kind)]))
}

/** The fields of a stored row, unchecked. */
function fieldsOf(row: StoredQuestion): { readonly approvalId: unknown } {
  const decoded = (text: string | null, kind: string): unknown => {
    if (text === null) return null
    return kind === 'integer' ? Number(text) : kind === 'text' ? decodeText(text) : text
  }
  const fields = QUESTION_COLUMNS.map(([name, column, kind]) => [name, decoded(row[column], kind)])
  return Object.fromEntries(fields) as { readonly approvalId: unknown }
}

/** The questions that a group of calls needs. A row is checked when it is used: it concerns no other call. */
export class StagedQuestions implements QuestionTable {
  readonly #stored: ReadonlyMap<unknown, object>
  readonly #changed = new Map<string, QuestionRow>()
  readonly #missing: string | null
  /** The rows for `newest`, loaded for a `list` call. */
  listed: readonly StoredQuestion[] = []

  /** @param missing - the database without the table, for the message of a refusal; null if it has the table */
  constructor(rows: readonly StoredQuestion[], missing: string | null) {
    this.#stored = new Map(rows.map(fieldsOf).map((fields) => [fields.approvalId, fields]))
    this.#missing = missing
  }

  changed(): readonly QuestionRow[] {
    return [...this.#changed.values()]
  }

  find(approvalId: string): QuestionRow | undefined {
    const stored = this.#changed.get(approvalId) ?? this.#stored.get(approvalId)
    if (stored === undefined) return undefined
    try {
      return checkQuestion(stored)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ApprovalStoreError('APPROVAL_STORE_FAILED', `the table contains an invalid question: ${why}`, { cause })
    }
  }

  insert(row: QuestionRow): void {
    if (this.#missing !== null)
      throw new ApprovalStoreError('APPROVAL_STORE_FAILED', `\`${this.#missing}\` has no table for questions`, {
        hint: 'run `sudoagent postgres init` to create it',
      })
    this.#changed.set(row.approvalId, row)
  }

  update(_before: QuestionRow, after: QuestionRow): void {
    this.#changed.set(after.approvalId, after)
  }

  newest({ limit, onInvalid }: QuestionQuery): readonly QuestionRow[] {
    return checkQuestions(this.listed.map(fieldsOf), onInvalid).slice(0, limit)
  }

  /** Does nothing: a statement renews the leases before the rows are loaded. */
  renewLeases(): void {}

  /** Does nothing: the statement that loads the rows also deletes old rows. */
  prune(): void {}
}
