import { type ApprovalState, ApprovalStoreError } from './approval.js'
import { isOpen } from './lease.js'
import type { QuestionRow } from './question-row.js'
import type { ApprovalRow } from './row.js'
import {
  type ApprovalTable,
  type CallQuery,
  isOfCall,
  type QuestionQuery,
  type QuestionTable,
  TableApprovalStore,
} from './table-store.js'
import { rowAt } from './transition.js'

/** The maximum number of open approvals of each kind in one process: far more than people can answer. */
const RECORDS_MAX = 10_000

/**
 * Stores approvals in the memory of this process, for tests and for programs in which no other process answers
 * requests. A restart discards all approvals, so calls that wait for an approval are denied.
 */
export class MemoryApprovalStore extends TableApprovalStore {
  constructor() {
    super(new MemoryTable())
  }
}

/** Rows by id, in the order in which they were added. */
class MemoryRows<Row extends ApprovalRow> {
  readonly rows = new Map<string, Row>()

  find(approvalId: string): Row | undefined {
    return this.rows.get(approvalId)
  }

  insert(row: Row): void {
    if (this.rows.size >= RECORDS_MAX) this.#forgetOldestFinished(row.createdAtMs)
    this.rows.set(row.approvalId, row)
  }

  update(_before: Row, after: Row): void {
    this.rows.set(after.approvalId, after)
  }

  protected newestOf(
    query: Pick<QuestionQuery, 'state' | 'limit' | 'nowMs' | keyof CallQuery>,
    fits: (row: Row) => boolean = () => true,
  ): readonly Row[] {
    const { state, limit, nowMs } = query
    const found: Row[] = []
    for (const row of this.rows.values())
      if (isOfCall(row, query) && fits(row) && (state === null || rowAt(row, nowMs).state === state)) found.push(row)
    return found
      .reverse()
      .sort((a, b) => b.createdAtMs - a.createdAtMs)
      .slice(0, limit)
  }

  #forgetOldestFinished(nowMs: number): void {
    for (const row of this.rows.values()) {
      const { state, consumedAtMs } = rowAt(row, nowMs)
      if (state === 'pending' || (state === 'approved' && consumedAtMs === null)) continue
      this.rows.delete(row.approvalId)
      return
    }
    throw new ApprovalStoreError('APPROVAL_STORE_FAILED', `more than ${RECORDS_MAX} approvals are open`)
  }
}

class MemoryTable extends MemoryRows<ApprovalRow> implements ApprovalTable {
  readonly questions = new MemoryQuestions()
  #closed = false

  /** A rollback is not needed, because the rules write at most one row, as their last step. */
  write<T>(work: () => T): T {
    return this.read(work)
  }

  read<T>(work: () => T): T {
    if (this.#closed) throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'the approval store is closed')
    return work()
  }

  newest(state: ApprovalState | null, limit: number, nowMs: number, call: CallQuery): readonly ApprovalRow[] {
    return this.newestOf({ state, limit, nowMs, ...call })
  }

  prune(expiredMs: number): void {
    // Rows are sorted by age. The loop ends at the first row that stays, so the running time does not depend on the
    // number of rows that stay.
    for (const row of this.rows.values()) {
      if (row.expiresAtMs > expiredMs) return
      this.rows.delete(row.approvalId)
    }
  }

  close(): void {
    this.#closed = true
    this.rows.clear()
    this.questions.rows.clear()
  }
}

class MemoryQuestions extends MemoryRows<QuestionRow> implements QuestionTable {
  /** No row expires before this time. */
  #expiresFirstMs = Number.POSITIVE_INFINITY

  newest(query: QuestionQuery): readonly QuestionRow[] {
    return this.newestOf(query, ({ ledger }) => query.ledger === null || ledger === query.ledger)
  }

  renewLeases(holder: string, nowMs: number, untilMs: number): void {
    for (const row of this.rows.values())
      if (row.leaseHolder === holder && isOpen(row, nowMs)) this.update(row, { ...row, leasedUntilMs: untilMs })
  }

  override insert(row: QuestionRow): void {
    super.insert(row)
    this.#expiresFirstMs = Math.min(this.#expiresFirstMs, row.expiresAtMs)
  }

  /** A question of seven days may be older than one of five minutes, so rows are not sorted by when they expire. */
  prune(expiredMs: number): void {
    if (expiredMs < this.#expiresFirstMs) return
    this.#expiresFirstMs = Number.POSITIVE_INFINITY
    for (const { approvalId, expiresAtMs } of this.rows.values()) {
      if (expiresAtMs <= expiredMs) this.rows.delete(approvalId)
      else this.#expiresFirstMs = Math.min(this.#expiresFirstMs, expiresAtMs)
    }
  }
}
