import { type Hash, isHash } from '@sudoagent/crypto'
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
  ApprovalStoreError,
  NAME_LENGTH_MAX,
  parseBinding,
  REQUEST_ID_LENGTH_MAX,
} from './approval.js'
import { leasedRow, leaseEndMs, unleasedRow } from './lease.js'
import { isQuestion, LEASE_HOLDER_LENGTH_MAX, pendingQuestion, type QuestionRow, recordOf } from './question-row.js'
import { type ApprovalRow, pendingRow, sameRequest } from './row.js'
import { checkResolution, refusalError, rowAt, settle, type Transition, use } from './transition.js'

/** The storage interface of one table. */
export interface RowTable<Row extends ApprovalRow> {
  find(approvalId: string): Row | undefined
  insert(row: Row): void
  /** Replaces `before`, which must still be the stored row. */
  update(before: Row, after: Row): void
  /** Deletes some of the rows that expired at or before `expiredMs`. */
  prune(expiredMs: number): void
}

/** The table of questions: of the requests with `asked`. */
export interface QuestionTable extends RowTable<QuestionRow> {
  newest(query: QuestionQuery): readonly QuestionRow[]
  /** Extends the leases of the open questions whose waiter is `holder`, to `untilMs`. */
  renewLeases(holder: string, nowMs: number, untilMs: number): void
}

/** Selects rows by their call. */
export interface CallQuery {
  /** Null: any agent. */
  readonly agentId: string | null
  /** Null: any action. */
  readonly action: string | null
}

/** Selects the newest questions whose state at `nowMs` is `state`. */
export interface QuestionQuery extends CallQuery {
  /** Null: any state. */
  readonly state: ApprovalState | null
  readonly limit: number
  readonly nowMs: number
  /** Null: any ledger. */
  readonly ledger: Hash | null
  /** Called for each question that is left out because its row is invalid. */
  readonly onInvalid: (approvalId: string) => void
}

/**
 * The storage interface that the rules need. The methods are synchronous, so that no other operation can run between
 * the steps of `write`.
 */
export interface ApprovalTable extends RowTable<ApprovalRow> {
  /**
   * Runs `work` in an exclusive transaction. The writes are committed durably, or rolled back if `work` throws. Throws
   * only `ApprovalStoreError`.
   */
  write<T>(work: () => T): T
  read<T>(work: () => T): T
  /**
   * Returns the newest rows of `call` whose state at `nowMs` is `state` (null: any state). A table that ignores `call`
   * may return too few rows of it.
   */
  newest(state: ApprovalState | null, limit: number, nowMs: number, call: CallQuery): readonly ApprovalRow[]
  /** Absent in a store without a table for questions, which refuses them. */
  readonly questions?: QuestionTable
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

  async create(request: ApprovalRequest, now: Date, holder?: string): Promise<ApprovalRecord> {
    const nowMs = requireInstantMs('now', now)
    const by = holder === undefined ? null : requireHolder(holder)
    const asked = request.asked === undefined ? pendingRow(request, nowMs) : pendingQuestion(request, nowMs)
    const row = this.#table.write(() => {
      this.#table.prune(nowMs - APPROVAL_RETENTION_MS)
      this.#table.questions?.prune(nowMs - APPROVAL_RETENTION_MS)
      const existing = this.#find(asked.approvalId)
      if (existing !== undefined) return existing
      const row = by === null ? asked : (leasedRow(asked, by, nowMs) ?? asked)
      this.#insert(row)
      return row
    })
    if (!sameRequest(row, asked)) throw refusalError('APPROVAL_BINDING_MISMATCH')
    return recordOf(rowAt(row, nowMs))
  }

  async get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined> {
    const id = requireId(approvalId)
    const nowMs = requireInstantMs('now', now)
    const row = this.#table.read(() => this.#find(id))
    return row === undefined ? undefined : recordOf(rowAt(row, nowMs))
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
    const { state, limit, ledger, agentId, action, onInvalid } = checkFilter(filter)
    const nowMs = requireInstantMs('now', now)
    const rows = this.#table.read(() => [
      ...(this.#table.questions?.newest({ state, limit, nowMs, ledger, agentId, action, onInvalid }) ?? []),
      ...(ledger === null ? this.#table.newest(state, limit, nowMs, { agentId, action }) : []),
    ])
    const newest = rows
      .filter((row) => isOfCall(row, { agentId, action }))
      .sort((a, b) => b.createdAtMs - a.createdAtMs)
      .slice(0, limit)
    return Object.freeze(newest.map((row) => recordOf(rowAt(row, nowMs))))
  }

  async lease(approvalId: string, holder: string, now: Date): Promise<boolean> {
    const [by, nowMs] = [requireHolder(holder), requireInstantMs('now', now)]
    return this.#changeLease(requireId(approvalId), (row) => leasedRow(row, by, nowMs))
  }

  async renewLeases(holder: string, now: Date): Promise<void> {
    const [by, nowMs] = [requireHolder(holder), requireInstantMs('now', now)]
    this.#table.write(() => this.#table.questions?.renewLeases(by, nowMs, leaseEndMs(nowMs)))
  }

  async endLease(approvalId: string, holder: string, now: Date): Promise<void> {
    const by = requireHolder(holder)
    requireInstantMs('now', now)
    this.#changeLease(requireId(approvalId), (row) => unleasedRow(row, by))
  }

  async close(): Promise<void> {
    this.#table.close()
  }

  /** @returns whether the lease changed: whether `step` returned a row */
  #changeLease(approvalId: string, step: (row: ApprovalRow | undefined) => QuestionRow | null): boolean {
    return this.#table.write(() => {
      const before = this.#find(approvalId)
      const after = step(before)
      if (before !== undefined && after !== null) this.#update(before, after)
      return after !== null
    })
  }

  /** Stores the new row. If the transition is a refusal, throws the refusal after the commit. */
  #move(approvalId: string, step: (row: ApprovalRow) => Transition): ApprovalRecord {
    const { row, refusal } = this.#table.write(() => {
      const before = this.#find(approvalId)
      if (before === undefined) throw refusalError('APPROVAL_NOT_FOUND')
      const transition = step(before)
      if (transition.row !== before) this.#update(before, transition.row)
      return transition
    })
    if (refusal !== null) throw refusalError(refusal)
    return recordOf(row)
  }

  /** An id that both tables have is an error: an answer to one request would count for the other. */
  #find(approvalId: string): ApprovalRow | undefined {
    const [row, question] = [this.#table.find(approvalId), this.#table.questions?.find(approvalId)]
    if (row !== undefined && question !== undefined)
      throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'two requests in the approval store have this id')
    return row ?? question
  }

  #insert(row: ApprovalRow): void {
    if (!isQuestion(row)) this.#table.insert(row)
    else if (this.#table.questions !== undefined) this.#table.questions.insert(row)
    else throw new ApprovalStoreError('APPROVAL_STORE_FAILED', 'the approval store has no table for questions')
  }

  #update(before: ApprovalRow, after: ApprovalRow): void {
    if (isQuestion(before) && isQuestion(after)) this.#table.questions?.update(before, after)
    else this.#table.update(before, after)
  }
}

function requireId(approvalId: unknown): string {
  return requireText('approvalId', approvalId, REQUEST_ID_LENGTH_MAX)
}

export function isOfCall(row: ApprovalRow, { agentId, action }: CallQuery): boolean {
  return (agentId === null || row.agentId === agentId) && (action === null || row.action === action)
}

function requireHolder(holder: unknown): string {
  return requireText('holder', holder, LEASE_HOLDER_LENGTH_MAX)
}

function checkFilter(filter: unknown) {
  const fields = readFields('approval filter', filter, ['state', 'limit', 'ledger', 'agentId', 'action', 'onInvalid'])
  const wanted = fields.get('state')
  const state = APPROVAL_STATES.find((known) => known === wanted)
  if (wanted !== undefined && state === undefined)
    throw new TypeError(`\`state\` must be one of ${APPROVAL_STATES.join(', ')}`)
  const ledger = fields.get('ledger')
  if (ledger !== undefined && !isHash(ledger)) throw new TypeError('`ledger` must be 64 lower-case hex digits')
  const name = (field: 'agentId' | 'action'): string | null => {
    const value = fields.get(field)
    return value === undefined ? null : requireText(field, value, NAME_LENGTH_MAX)
  }
  const onInvalid = fields.get('onInvalid') ?? (() => {})
  if (typeof onInvalid !== 'function') throw new TypeError('`onInvalid` must be a function')
  return {
    state: state ?? null,
    limit: requireInteger('limit', fields.get('limit') ?? APPROVAL_LIST_DEFAULT, 1, APPROVAL_LIST_MAX),
    ledger: ledger ?? null,
    agentId: name('agentId'),
    action: name('action'),
    onInvalid: onInvalid as (approvalId: string) => void,
  }
}
