import { type ApprovalState, ApprovalStoreError } from './approval.js'
import type { ApprovalRow } from './row.js'
import { type ApprovalTable, TableApprovalStore } from './table-store.js'
import { rowAt } from './transition.js'

/** The maximum number of open approvals in one process: far more than people can answer. */
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

class MemoryTable implements ApprovalTable {
  readonly #rows = new Map<string, ApprovalRow>()
  #closed = false

  /** A rollback is not needed, because the rules write at most one row, as their last step. */
  write<T>(work: () => T): T {
    return this.read(work)
  }

  read<T>(work: () => T): T {
    if (this.#closed) throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'the approval store is closed')
    return work()
  }

  find(approvalId: string): ApprovalRow | undefined {
    return this.#rows.get(approvalId)
  }

  insert(row: ApprovalRow): void {
    if (this.#rows.size >= RECORDS_MAX) this.#forgetOldestFinished(row.createdAtMs)
    this.#rows.set(row.approvalId, row)
  }

  update(_before: ApprovalRow, after: ApprovalRow): void {
    this.#rows.set(after.approvalId, after)
  }

  newest(state: ApprovalState | null, limit: number, nowMs: number): readonly ApprovalRow[] {
    return [...this.#rows.values()]
      .reverse()
      .filter((row) => state === null || rowAt(row, nowMs).state === state)
      .sort((a, b) => b.createdAtMs - a.createdAtMs)
      .slice(0, limit)
  }

  prune(expiredMs: number): void {
    // Rows are sorted by age. The loop ends at the first row that stays, so the running time does not depend on the
    // number of rows that stay.
    for (const row of this.#rows.values()) {
      if (row.expiresAtMs > expiredMs) return
      this.#rows.delete(row.approvalId)
    }
  }

  close(): void {
    this.#closed = true
    this.#rows.clear()
  }

  #forgetOldestFinished(nowMs: number): void {
    for (const row of this.#rows.values()) {
      const { state, consumedAtMs } = rowAt(row, nowMs)
      if (state === 'pending' || (state === 'approved' && consumedAtMs === null)) continue
      this.#rows.delete(row.approvalId)
      return
    }
    throw new ApprovalStoreError('APPROVAL_STORE_FAILED', `more than ${RECORDS_MAX} approvals are open`)
  }
}
