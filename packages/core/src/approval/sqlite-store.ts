import type Database from 'better-sqlite3'
import { quote } from '../check.js'
import { closeDatabase, hintOf, holdsTable, openDatabase, reasonOf, requireIntact, transact } from '../sqlite-file.js'
import type { SqliteStoreOptions } from '../sqlite-options.js'
import { APPROVAL_SCHEMA, QUESTION_SCHEMA } from '../sqlite-schema.js'
import { type ApprovalState, ApprovalStoreError } from './approval.js'
import { type ApprovalRow, checkRow } from './row.js'
import { PRUNE_ROWS, requireOneChange, SqliteQuestions } from './sqlite-questions.js'
import { type ApprovalTable, type CallQuery, TableApprovalStore } from './table-store.js'

const COLUMNS = `approval_id AS approvalId, policy_hash AS policyHash, decision_hash AS decisionHash, action, agent_id AS agentId,
  reason, parameters_json AS parametersJson, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, state,
  approver_id AS approverId, note, resolved_at_ms AS resolvedAtMs, consumed_at_ms AS consumedAtMs`

const SCHEMA = `${APPROVAL_SCHEMA};${QUESTION_SCHEMA}`

/**
 * Stores approvals in a SQLite file that several processes share: the engine waits in one process, and people answer
 * from other processes.
 *
 * Every change is one transaction under the write lock and is durable before the call returns. The SQLite calls are
 * synchronous. While a different process has the lock, a call blocks the event loop for at most `busyTimeoutMs` and
 * then fails.
 */
export class SqliteApprovalStore extends TableApprovalStore {
  /**
   * Opens the file. Creates the file (mode 0600) and its tables if they do not exist.
   *
   * @throws TypeError for an invalid path or option; ApprovalStoreError `APPROVAL_STORE_FAILED` when the file
   *   cannot be opened or is not a database
   * @example const store = SqliteApprovalStore.open('approvals.sqlite')
   */
  static open(path: string, options: SqliteStoreOptions = {}): SqliteApprovalStore {
    try {
      return new SqliteApprovalStore(openDatabase(path, options, SCHEMA, (db) => new SqliteTable(db)))
    } catch (error) {
      if (error instanceof TypeError) throw error
      throw storeFailed(`cannot open ${quote(String(path))}`, error)
    }
  }

  /**
   * Opens an existing approval store, for programs that answer requests. A misspelt path does not create a file. A
   * different kind of database, such as a ledger, is not changed: no table is created, and the journal mode stays the
   * same.
   *
   * @throws as `open`; also if the file does not exist or is not an approval store
   */
  static openExisting(path: string, options: SqliteStoreOptions = {}): SqliteApprovalStore {
    try {
      if (!holdsTable(path, 'sudoagent_approval')) throw new Error('the file is a database, but not an approval store')
    } catch (error) {
      if (error instanceof TypeError) throw error
      throw storeFailed(`cannot open ${quote(String(path))}`, error)
    }
    return SqliteApprovalStore.open(path, options)
  }
}

class SqliteTable implements ApprovalTable {
  readonly #db: Database.Database
  readonly #find: Database.Statement
  readonly #insert: Database.Statement
  readonly #update: Database.Statement
  readonly #newest: Database.Statement
  readonly #prune: Database.Statement
  readonly questions: SqliteQuestions

  constructor(db: Database.Database) {
    this.#db = db
    this.questions = new SqliteQuestions(db)
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM sudoagent_approval WHERE approval_id = ?`)
    this.#insert =
      db.prepare(`INSERT INTO sudoagent_approval VALUES (@approvalId, @policyHash, @decisionHash, @action, @agentId, @reason,
      @parametersJson, @createdAtMs, @expiresAtMs, @state, @approverId, @note, @resolvedAtMs, @consumedAtMs)`)
    this.#update = db.prepare(`UPDATE sudoagent_approval
      SET state = @state, approver_id = @approverId, note = @note, resolved_at_ms = @resolvedAtMs, consumed_at_ms = @consumedAtMs
      WHERE approval_id = @approvalId AND state = @stateBefore AND consumed_at_ms IS @consumedAtMsBefore`)
    this.#newest = db.prepare(`SELECT ${COLUMNS} FROM sudoagent_approval
      WHERE (@agentId IS NULL OR agent_id = @agentId) AND (@action IS NULL OR action = @action)
        AND (@state IS NULL OR @state = CASE WHEN state = 'pending' AND expires_at_ms <= @nowMs THEN 'expired' ELSE state END)
      ORDER BY created_at_ms DESC, rowid DESC LIMIT @limit`)
    this.#prune = db.prepare(`DELETE FROM sudoagent_approval
      WHERE rowid IN (SELECT rowid FROM sudoagent_approval WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ${PRUNE_ROWS})`)
  }

  write<T>(work: () => T): T {
    return this.#attempt(() => transact(this.#db, work))
  }

  read<T>(work: () => T): T {
    return this.#attempt(() => {
      requireIntact(this.#db)
      return work()
    })
  }

  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof ApprovalStoreError) throw error
      throw storeFailed('the approval store failed', error)
    }
  }

  find(approvalId: string): ApprovalRow | undefined {
    const raw = this.#find.get(approvalId)
    return raw === undefined ? undefined : checkRow(raw)
  }

  insert(row: ApprovalRow): void {
    this.#insert.run(row)
  }

  update(before: ApprovalRow, after: ApprovalRow): void {
    const { state: stateBefore, consumedAtMs: consumedAtMsBefore } = before
    requireOneChange(this.#update.run({ ...after, stateBefore, consumedAtMsBefore }))
  }

  newest(state: ApprovalState | null, limit: number, nowMs: number, call: CallQuery): readonly ApprovalRow[] {
    return this.#newest.all({ state, limit, nowMs, ...call }).map(checkRow)
  }

  prune(expiredMs: number): void {
    this.#prune.run(expiredMs)
  }

  close(): void {
    closeDatabase(this.#db)
  }
}

function storeFailed(what: string, cause: unknown): ApprovalStoreError {
  return new ApprovalStoreError('APPROVAL_STORE_FAILED', `${what}: ${reasonOf(cause)}`, { cause, hint: hintOf(cause) })
}
