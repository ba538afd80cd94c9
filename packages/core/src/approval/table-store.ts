import { readFields, requireInstantMs, requireInteger, requireText } from '../check.js'
import {
  APPROVAL_LIST_DEFAULT,
  APPROVAL_LIST_MAX,
  APPROVAL_RETENTION_MS,
  APPROVAL_STATES,
  type ApprovalBinding,
  type ApprovalFilter,
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalResolution,
  type ApprovalState,
  type ApprovalStore,
  parseBinding,
  REQUEST_ID_LENGTH_MAX,
} from './approval.js'
import { type ApprovalRow, pendingRow, sameRequest, toRecord } from './row.js'
import { checkResolution, refusalError, rowAt, settle, type Transition, use } from './transition.js'

/**
 * The storage interface that the rules need. The methods are synchronous, so that no other operation can run between
 * the steps of `write`.
 */
export interface ApprovalTable {
  /**
   * Runs `work` in an exclusive transaction. The writes are committed durably, or rolled back if `work` throws. Throws
   * only `ApprovalStoreError`.
   */
  write<T>(work: () => T): T
  read<T>(work: () => T): T
  find(approvalId: string): ApprovalRow | undefined
  insert(row: ApprovalRow): void
  /** Replaces `before`, which must still be the stored row. */
  update(before: ApprovalRow, after: ApprovalRow): void
  /** Returns the newest rows whose state at `nowMs` is `state` (null: any state). */
  newest(state: ApprovalState | null, limit: number, nowMs: number): readonly ApprovalRow[]
  /** Deletes some of the rows that expired at or before `expiredMs`. */
  prune(expiredMs: number): void
  close(): void
}

/**
 * Implements the rules of approval stores on top of any table. Arguments are validated before the table is accessed.
 */
export class TableApprovalStore implements ApprovalStore {
  readonly #table: ApprovalTable

  protected constructor(table: ApprovalTable) {
    this.#table = table
  }

  async create(request: ApprovalRequest, now: Date): Promise<ApprovalRecord> {
    const nowMs = requireInstantMs('now', now)
    const asked = pendingRow(request, nowMs)
    const row = this.#table.write(() => {
      this.#table.prune(nowMs - APPROVAL_RETENTION_MS)
      const existing = this.#table.find(asked.approvalId)
      if (existing === undefined) this.#table.insert(asked)
      return existing ?? asked
    })
    if (!sameRequest(row, asked)) throw refusalError('APPROVAL_BINDING_MISMATCH')
    return toRecord(rowAt(row, nowMs))
  }

  async get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined> {
    const id = requireId(approvalId)
    const nowMs = requireInstantMs('now', now)
    const row = this.#table.read(() => this.#table.find(id))
    return row === undefined ? undefined : toRecord(rowAt(row, nowMs))
  }

  async resolve(approvalId: string, resolution: ApprovalResolution, now: Date): Promise<ApprovalRecord> {
    const checked = checkResolution(resolution)
    const nowMs = requireInstantMs('now', now)
    return this.#move(requireId(approvalId), (row) => settle(row, checked, nowMs))
  }

  async consume(approvalId: string, binding: ApprovalBinding, now: Date): Promise<ApprovalRecord> {
    const checked = parseBinding(binding)
    const nowMs = requireInstantMs('now', now)
    return this.#move(requireId(approvalId), (row) => use(row, checked, nowMs))
  }

  async list(filter: ApprovalFilter, now: Date): Promise<readonly ApprovalRecord[]> {
    const { state, limit } = checkFilter(filter)
    const nowMs = requireInstantMs('now', now)
    const rows = this.#table.read(() => this.#table.newest(state, limit, nowMs))
    return Object.freeze(rows.map((row) => toRecord(rowAt(row, nowMs))))
  }

  async close(): Promise<void> {
    this.#table.close()
  }

  /** Stores the new row. If the transition is a refusal, throws the refusal after the commit. */
  #move(approvalId: string, step: (row: ApprovalRow) => Transition): ApprovalRecord {
    const { row, refusal } = this.#table.write(() => {
      const before = this.#table.find(approvalId)
      if (before === undefined) throw refusalError('APPROVAL_NOT_FOUND')
      const transition = step(before)
      if (transition.row !== before) this.#table.update(before, transition.row)
      return transition
    })
    if (refusal !== null) throw refusalError(refusal)
    return toRecord(row)
  }
}

function requireId(approvalId: unknown): string {
  return requireText('approvalId', approvalId, REQUEST_ID_LENGTH_MAX)
}

function checkFilter(filter: unknown): { state: ApprovalState | null; limit: number } {
  const fields = readFields('approval filter', filter, ['state', 'limit'])
  const wanted = fields.get('state')
  const state = APPROVAL_STATES.find((known) => known === wanted)
  if (wanted !== undefined && state === undefined)
    throw new TypeError(`\`state\` must be one of ${APPROVAL_STATES.join(', ')}`)
  const limit = fields.get('limit') ?? APPROVAL_LIST_DEFAULT
  return { state: state ?? null, limit: requireInteger('limit', limit, 1, APPROVAL_LIST_MAX) }
}
