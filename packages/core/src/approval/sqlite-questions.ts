// The table of questions in a SQLite approval store.
import type Database from 'better-sqlite3'
import { ApprovalStoreError } from './approval.js'
import { COLUMN_BYTES_MAX, checkQuestion, checkQuestions, QUESTION_COLUMNS, type QuestionRow } from './question-row.js'
import type { CallQuery, QuestionQuery, QuestionTable } from './table-store.js'

/**
 * The maximum number of old rows of each table that one `create` deletes. With this limit, old rows are deleted faster
 * than new rows are added, and each `create` still takes little time.
 */
export const PRUNE_ROWS = 100

/** A text that is too long is read as an empty blob, which makes the row invalid. */
const COLUMNS = QUESTION_COLUMNS.map(([field, column, kind]) =>
  kind === 'integer'
    ? `${column} AS ${field}`
    : `CASE WHEN octet_length(${column}) > ${COLUMN_BYTES_MAX[kind]} THEN x'' ELSE ${column} END AS ${field}`,
).join(', ')

/** The order of an index, so that a short list reads few rows. */
const NEWEST = 'created_at_ms DESC, position DESC, approval_id DESC'

const OF_AGENT = 'agent_id = @agentId'
const OF_ACTION = 'action = @action'

/** The inner query reads only ids, because a row can have megabytes. Each filter has its own text, for the indexes. */
const newestText = (...ofCall: readonly string[]): string => `SELECT ${COLUMNS} FROM sudoagent_question
  WHERE rowid IN (SELECT rowid FROM sudoagent_question
    WHERE ${[...ofCall, '(@ledger IS NULL OR ledger = @ledger)'].join(' AND ')}
      AND (@state IS NULL OR @state = CASE WHEN state = 'pending' AND expires_at_ms <= @nowMs THEN 'expired' ELSE state END)
    ORDER BY ${NEWEST} LIMIT @limit)
  ORDER BY ${NEWEST}`

export class SqliteQuestions implements QuestionTable {
  readonly #find: Database.Statement
  readonly #insert: Database.Statement
  readonly #update: Database.Statement
  readonly #newest: (call: CallQuery) => Database.Statement
  readonly #renewLeases: Database.Statement
  readonly #prune: Database.Statement

  constructor(db: Database.Database) {
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM sudoagent_question WHERE approval_id = ?`)
    this.#insert =
      db.prepare(`INSERT INTO sudoagent_question (${QUESTION_COLUMNS.map(([, column]) => column).join(', ')})
      VALUES (${QUESTION_COLUMNS.map(([field]) => `@${field}`).join(', ')})`)
    this.#update = db.prepare(`UPDATE sudoagent_question
      SET state = @state, approver_id = @approverId, note = @note, resolved_at_ms = @resolvedAtMs, consumed_at_ms = @consumedAtMs,
        lease_holder = @leaseHolder, leased_until_ms = @leasedUntilMs
      WHERE approval_id = @approvalId AND state = @stateBefore AND consumed_at_ms IS @consumedAtMsBefore`)
    const newest = {
      all: db.prepare(newestText()),
      ofAgent: db.prepare(newestText(OF_AGENT)),
      ofAction: db.prepare(newestText(OF_ACTION)),
      ofBoth: db.prepare(newestText(OF_AGENT, OF_ACTION)),
    }
    this.#newest = ({ agentId, action }) => {
      if (action === null) return agentId === null ? newest.all : newest.ofAgent
      return agentId === null ? newest.ofAction : newest.ofBoth
    }
    this.#renewLeases = db.prepare(`UPDATE sudoagent_question SET leased_until_ms = @untilMs
      WHERE lease_holder = @holder AND consumed_at_ms IS NULL
        AND (state = 'approved' OR (state = 'pending' AND expires_at_ms > @nowMs))`)
    this.#prune = db.prepare(`DELETE FROM sudoagent_question
      WHERE rowid IN (SELECT rowid FROM sudoagent_question WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ${PRUNE_ROWS})`)
  }

  find(approvalId: string): QuestionRow | undefined {
    const raw = this.#find.get(approvalId)
    return raw === undefined ? undefined : checkQuestion(raw)
  }

  insert(row: QuestionRow): void {
    this.#insert.run(row)
  }

  update(before: QuestionRow, after: QuestionRow): void {
    const { state: stateBefore, consumedAtMs: consumedAtMsBefore } = before
    requireOneChange(this.#update.run({ ...after, stateBefore, consumedAtMsBefore }))
  }

  newest({ onInvalid, ...query }: QuestionQuery): readonly QuestionRow[] {
    const rows = this.#newest(query).all(query) as { readonly approvalId: unknown }[]
    return checkQuestions(rows, onInvalid)
  }

  renewLeases(holder: string, nowMs: number, untilMs: number): void {
    this.#renewLeases.run({ holder, nowMs, untilMs })
  }

  prune(expiredMs: number): void {
    this.#prune.run(expiredMs)
  }
}

/**
 * The write lock prevents a concurrent change. If the row has changed nevertheless, the transaction must fail.
 *
 * @throws ApprovalStoreError APPROVAL_STORE_FAILED
 */
export function requireOneChange({ changes }: Database.RunResult): void {
  if (changes !== 1) throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'the approval changed while it was locked')
}
