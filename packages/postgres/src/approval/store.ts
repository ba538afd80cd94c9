/**
 * An approval store that many hosts share: an engine waits on one host, and people answer from other hosts.
 *
 * `TableApprovalStore` in `@sudoagent/core/store` implements the rules (state transitions, who can answer, expiry),
 * as it does for SQLite and memory. This file handles a group of operations in one transaction, under one lock for
 * all writers: it loads the rows, applies the rules, and writes the changed rows:
 *
 *   load (staged rows) → TableApprovalStore → changed rows → COMMIT
 *
 * All times come from the database clock, so hosts with different clocks agree on which approvals are pending or
 * expired. Operations that wait at the same time share a transaction (`lane.ts`).
 *
 *   table.ts   the rows in memory, and their columns
 *
 *   const approvals = await PostgresApprovalStore.open('postgres://agent@db.example.com/evidence')
 *   host A: create(request), then polls get(id)     host B: resolve(id, { state: 'approved', … })
 *   host A: consume(id), true for one caller only
 */
import {
  type ApprovalBinding,
  type ApprovalFilter,
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalResolution,
  type ApprovalStore,
  ApprovalStoreError,
} from '@sudoagent/core'
import {
  APPROVAL_LIST_DEFAULT,
  APPROVAL_LIST_MAX,
  APPROVAL_RETENTION_MS,
  APPROVAL_STATES,
  type ApprovalRow,
  ownFields,
  TableApprovalStore,
} from '@sudoagent/core/store'
import { NOW_MS } from '../ledger/rows.js'
import { asLedgerError } from '../session/failure.js'
import { Batcher } from '../session/lane.js'
import type { Session } from '../session/session.js'
import { requireFsync, type SynchronousCommit } from '../session/session-settings.js'
import { databaseClock, type StoreClock } from '../session/store-clock.js'
import { parseTarget, type Target } from '../session/target.js'
import { encodeText } from '../session/text-column.js'
import {
  APPROVAL_COLUMNS,
  APPROVAL_RECORD,
  fromColumns,
  StagedApprovals,
  type StoredApproval,
  toColumns,
} from './table.js'

export interface PostgresApprovalStoreOptions {
  /** How long a call waits for other transactions, in milliseconds. Default: 5,000. */
  readonly busyTimeoutMs?: number
  readonly synchronousCommit?: SynchronousCommit
}

const BUSY_TIMEOUT_MS = 5_000

/** Maximum length of an id in a lookup. The rules refuse longer ids. */
const ID_LENGTH_MAX = 128

/** Maximum number of old rows that `create` deletes. */
const PRUNE_ROWS = 100

interface Call {
  readonly id: unknown
  /** Whether the operation writes. */
  readonly writes: boolean
  readonly filter: ApprovalFilter | null
  readonly callersMs: number
  readonly apply: (rules: ApprovalStore, now: Date, row: ApprovalRow | undefined) => Promise<unknown>
}

/**
 * Stores approvals in PostgreSQL, with the same semantics as the other stores: each approval can be used once,
 * before it expires, for the call to which it is bound. The lifetime of an approval starts when the database stores
 * it, so hosts with different clocks agree on when it expires.
 */
export class PostgresApprovalStore implements ApprovalStore {
  readonly #target: Target
  readonly #clock: StoreClock
  readonly #synchronousCommit: SynchronousCommit
  readonly #lane: Batcher<Call, Promise<unknown>>

  /** Used by `open`, and by tests that control the clock. */
  constructor(url: string, options: PostgresApprovalStoreOptions = {}, clock: StoreClock = databaseClock) {
    const { busyTimeoutMs = BUSY_TIMEOUT_MS, synchronousCommit = 'on' } = ownFields(options)
    if (!Number.isSafeInteger(busyTimeoutMs) || busyTimeoutMs < 1 || busyTimeoutMs > 600_000)
      throw new TypeError('`busyTimeoutMs` must be an integer from 1 to 600000')
    this.#target = parseTarget(url)
    this.#clock = clock
    this.#synchronousCommit = synchronousCommit
    this.#lane = new Batcher(
      { target: this.#target, lockTimeoutMs: busyTimeoutMs, synchronousCommit },
      (session, calls) => this.#serve(session, calls),
    )
  }

  /**
   * @param url - `postgres://user@host/database`
   * @throws TypeError for an invalid option; ApprovalStoreError APPROVAL_STORE_FAILED if the server cannot be used
   * @example const approvals = await PostgresApprovalStore.open('postgres://agent@db.example.com/evidence')
   */
  static async open(url: string, options: PostgresApprovalStoreOptions = {}): Promise<PostgresApprovalStore> {
    const store = new PostgresApprovalStore(url, options)
    try {
      await store.#lane.open()
    } catch (error) {
      throw store.#failed(error)
    }
    return store
  }

  create(request: ApprovalRequest, now: Date): Promise<ApprovalRecord> {
    return this.#do(request?.approvalId, true, now, (rules, then, row) =>
      rules.create(this.#rebase(request, then, row), then),
    )
  }

  get(approvalId: string, now: Date): Promise<ApprovalRecord | undefined> {
    return this.#do(approvalId, false, now, (rules, then) => rules.get(approvalId, then))
  }

  resolve(approvalId: string, resolution: ApprovalResolution, now: Date): Promise<ApprovalRecord> {
    return this.#do(approvalId, true, now, (rules, then) => rules.resolve(approvalId, resolution, then))
  }

  consume(approvalId: string, binding: ApprovalBinding, now: Date): Promise<ApprovalRecord> {
    return this.#do(approvalId, true, now, (rules, then) => rules.consume(approvalId, binding, then))
  }

  list(filter: ApprovalFilter, now: Date): Promise<readonly ApprovalRecord[]> {
    return this.#do(null, false, now, (rules, then) => rules.list(filter, then), filter)
  }

  async close(): Promise<void> {
    await this.#lane.close()
  }

  async #do<T>(
    id: unknown,
    writes: boolean,
    now: Date,
    apply: (rules: ApprovalStore, now: Date, row: ApprovalRow | undefined) => Promise<T>,
    filter: ApprovalFilter | null = null,
  ): Promise<T> {
    const callersMs =
      Object.prototype.toString.call(now) === '[object Date]' ? Date.prototype.getTime.call(now) : Number.NaN
    if (Number.isNaN(callersMs)) throw new TypeError('`now` must be a valid Date')
    try {
      return (await this.#lane.do({ id, writes, filter, callersMs, apply })) as T
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError || error instanceof ApprovalStoreError) throw error
      throw this.#failed(error)
    }
  }

  /**
   * Runs a group in one transaction: loads the rows under the lock, applies the rules, and writes the changes. The
   * results are returned only after the commit.
   */
  async #serve(session: Session, calls: readonly Call[]): Promise<readonly (() => Promise<unknown>)[]> {
    const writes = calls.some((call) => call.writes)
    const { rows, databaseMs } = await this.#load(session, calls, writes)
    const staged = new StagedApprovals(rows)
    const rules = new Rules(staged)
    const answers: (() => Promise<unknown>)[] = []
    for (const call of calls) {
      const nowMs = Math.floor(this.#clock(call.callersMs, databaseMs))
      if (call.filter !== null) staged.listed = await this.#newest(session, call.filter, nowMs)
      const row = typeof call.id === 'string' ? staged.find(call.id) : undefined
      const [answer] = await Promise.allSettled([call.apply(rules, new Date(nowMs), row)])
      answers.push(() =>
        answer.status === 'fulfilled' ? Promise.resolve(answer.value) : Promise.reject(answer.reason),
      )
    }
    const changed = staged.changed()
    if (changed.length === 0) await session.writeAndCommit('SELECT 1')
    else await session.writeAndCommit(this.#writeQuery(changed))
    return answers
  }

  async #load(session: Session, calls: readonly Call[], writes: boolean) {
    const s = this.#target.schema
    const ids = calls
      .map(({ id }) => id)
      .filter((id) => typeof id === 'string' && id.length <= ID_LENGTH_MAX && id.isWellFormed())
    // One lock for all writers is enough: people answer approvals, so few transactions run at a time.
    const lock = writes ? `SELECT pg_advisory_xact_lock(hashtext('sudoagent:${s}.approval'))` : 'SELECT 1'
    await session.askTogether('BEGIN ISOLATION LEVEL READ COMMITTED', lock)
    const [clock] = await session.ask<{ readonly now_ms: number; readonly fsync: string }>(
      `SELECT ${NOW_MS} AS now_ms, current_setting('fsync') AS fsync`,
    )
    if (writes) requireFsync(clock?.fsync ?? '', this.#synchronousCommit, this.#target)
    const databaseMs = clock?.now_ms ?? Number.NaN
    if (writes) {
      const expiredMs = Math.floor(this.#clock(calls[0]?.callersMs ?? 0, databaseMs)) - APPROVAL_RETENTION_MS
      await session.ask({
        text: `DELETE FROM ${s}.approval WHERE approval_id IN (SELECT approval_id FROM ${s}.approval WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT ${PRUNE_ROWS})`,
        values: [expiredMs],
      })
    }
    const rows = await session.ask<StoredApproval>({
      text: `SELECT ${APPROVAL_COLUMNS} FROM ${s}.approval WHERE approval_id = ANY ($1::text[])`,
      values: [ids.map((id) => encodeText(id as string))],
    })
    return { rows: rows.map(fromColumns), databaseMs }
  }

  /**
   * Loads the rows for `list`. The rules reject an invalid filter; this query only has to handle an invalid filter
   * safely.
   */
  async #newest(session: Session, filter: ApprovalFilter, nowMs: number): Promise<readonly ApprovalRow[]> {
    const { state: wanted, limit = APPROVAL_LIST_DEFAULT } = filter ?? {}
    const state = APPROVAL_STATES.find((known) => known === wanted) ?? null
    const rows = await session.ask<StoredApproval>({
      text: `SELECT ${APPROVAL_COLUMNS} FROM ${this.#target.schema}.approval
        WHERE $1::text IS NULL OR $1 = CASE WHEN state = 'pending' AND expires_at_ms <= $2 THEN 'expired' ELSE state END
        ORDER BY created_at_ms DESC, number DESC LIMIT $3`,
      values: [state, nowMs, Number.isInteger(limit) && limit > 0 && limit <= APPROVAL_LIST_MAX ? limit : 1],
    })
    return rows.map(fromColumns)
  }

  #writeQuery(changed: readonly ApprovalRow[]) {
    return {
      text: `INSERT INTO ${this.#target.schema}.approval (${APPROVAL_COLUMNS}) SELECT ${APPROVAL_COLUMNS} FROM json_to_recordset($1) AS given (${APPROVAL_RECORD})
        ON CONFLICT (approval_id) DO UPDATE SET state = excluded.state, approver_id = excluded.approver_id, note = excluded.note,
          resolved_at_ms = excluded.resolved_at_ms, consumed_at_ms = excluded.consumed_at_ms`,
      values: [JSON.stringify(changed.map(toColumns))],
    }
  }

  /**
   * Converts the request times to the database clock. The lifetime of the request starts now; for a repeated
   * request, it started when the request was first stored.
   */
  #rebase(request: ApprovalRequest, now: Date, row: ApprovalRow | undefined): ApprovalRequest {
    if (this.#clock !== databaseClock) return request
    const openMs = request.expiresAt.getTime() - request.createdAt.getTime()
    const createdMs = row?.createdAtMs ?? now.getTime()
    return { ...request, createdAt: new Date(createdMs), expiresAt: new Date(createdMs + openMs) }
  }

  #failed(cause: unknown): ApprovalStoreError {
    const { message, hint } = asLedgerError(cause, this.#target.shown, 'LEDGER_WRITE_FAILED')
    return new ApprovalStoreError('APPROVAL_STORE_FAILED', `the approval store failed: ${message}`, { cause, hint })
  }
}

/** Makes the protected constructor of `TableApprovalStore` accessible. */
class Rules extends TableApprovalStore {
  constructor(table: StagedApprovals) {
    super(table)
  }
}
