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
 *   table.ts            the rows in memory, and their columns
 *   question-table.ts   the same for questions, whose times are those of their ledger
 *   statement.ts        the statements on both tables
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
  APPROVAL_RETENTION_MS,
  type ApprovalRow,
  LEASE_HOLDER_LENGTH_MAX,
  ownFields,
  TableApprovalStore,
} from '@sudoagent/core/store'
import { NOW_MS } from '../ledger/rows.js'
import { asLedgerError } from '../session/failure.js'
import { Batcher } from '../session/lane.js'
import { requireTables } from '../session/schema-check.js'
import type { Session } from '../session/session.js'
import { requireFsync, type SynchronousCommit } from '../session/session-settings.js'
import { databaseClock, type StoreClock } from '../session/store-clock.js'
import { parseTarget, type Target } from '../session/target.js'
import { StagedQuestions, type StoredQuestion, toQuestionColumns } from './question-table.js'
import {
  findStatement,
  newestStatement,
  pruneStatement,
  renewStatement,
  type Table,
  writeStatement,
} from './statement.js'
import { fromColumns, StagedApprovals, type StoredApproval, toColumns } from './table.js'

export interface PostgresApprovalStoreOptions {
  /** How long a call waits for other transactions, in milliseconds. Default: 5,000. */
  readonly busyTimeoutMs?: number
  readonly synchronousCommit?: SynchronousCommit
}

const BUSY_TIMEOUT_MS = 5_000

/** Maximum length of an id in a lookup. The rules refuse longer ids. */
const ID_LENGTH_MAX = 128

interface Call {
  readonly id: unknown
  /** Whether the operation writes. */
  readonly writes: boolean
  /** The filter of a list. */
  readonly filter?: ApprovalFilter
  /** Whose leases the call renews. */
  readonly renew?: unknown
  readonly callersMs: number
  readonly apply: (rules: Rules, now: Date, row: ApprovalRow | undefined) => Promise<unknown>
}

/**
 * Stores approvals in PostgreSQL, with the same semantics as the other stores: each approval can be used once,
 * before it expires, for the call to which it is bound. The lifetime of an approval starts when the database stores
 * it, so hosts with different clocks agree on when it expires. A question expires at the time that its ledger has
 * recorded, by the clock of the database.
 */
export class PostgresApprovalStore implements ApprovalStore {
  readonly #target: Target
  readonly #clock: StoreClock
  readonly #synchronousCommit: SynchronousCommit
  readonly #lane: Batcher<Call, Promise<unknown>>
  /** The sessions in which the table of questions was checked. It may be created after a session was opened. */
  readonly #checked = new WeakSet<Session>()

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

  create(request: ApprovalRequest, now: Date, holder?: string): Promise<ApprovalRecord> {
    return this.#do(request?.approvalId, true, now, (rules, then, row) =>
      rules.create(this.#rebase(request, then, row), then, holder),
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
    return this.#do(null, false, now, (rules, then) => rules.list(filter, then), { filter: filter ?? {} })
  }

  lease(approvalId: string, holder: string, now: Date): Promise<boolean> {
    return this.#do(approvalId, true, now, (rules, then) => rules.lease(approvalId, holder, then))
  }

  renewLeases(holder: string, now: Date): Promise<void> {
    return this.#do(null, true, now, (rules, then) => rules.renewLeases(holder, then), { renew: holder })
  }

  endLease(approvalId: string, holder: string, now: Date): Promise<void> {
    return this.#do(approvalId, true, now, (rules, then) => rules.endLease(approvalId, holder, then))
  }

  async close(): Promise<void> {
    await this.#lane.close()
  }

  async #do<T>(
    id: unknown,
    writes: boolean,
    now: Date,
    apply: (rules: Rules, now: Date, row: ApprovalRow | undefined) => Promise<T>,
    more: Pick<Call, 'filter' | 'renew'> = {},
  ): Promise<T> {
    const callersMs =
      Object.prototype.toString.call(now) === '[object Date]' ? Date.prototype.getTime.call(now) : Number.NaN
    if (Number.isNaN(callersMs)) throw new TypeError('`now` must be a valid Date')
    try {
      return (await this.#lane.do({ ...more, id, writes, callersMs, apply })) as T
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
    const { staged, hasQuestions, databaseMs } = await this.#load(session, calls, writes)
    const rules = new Rules(staged)
    const answers: (() => Promise<unknown>)[] = []
    for (const call of calls) {
      const nowMs = Math.floor(this.#clock(call.callersMs, databaseMs))
      if (call.filter !== undefined) {
        const { filter } = call
        const newest = (table: Table) => newestStatement(this.#target.schema, table, filter, nowMs)
        staged.listed = (await session.ask<StoredApproval>(newest('approval'))).map(fromColumns)
        staged.questions.listed = hasQuestions ? await session.ask<StoredQuestion>(newest('question')) : []
      }
      const row = typeof call.id === 'string' ? staged.find(call.id) : undefined
      const [answer] = await Promise.allSettled([call.apply(rules, new Date(nowMs), row)])
      answers.push(() =>
        answer.status === 'fulfilled' ? Promise.resolve(answer.value) : Promise.reject(answer.reason),
      )
    }
    const schema = this.#target.schema
    const [approvals, questions] = [staged.changed().map(toColumns), staged.questions.changed().map(toQuestionColumns)]
    if (questions.length > 0) await session.ask(writeStatement(schema, 'question', questions))
    await session.writeAndCommit(approvals.length === 0 ? 'SELECT 1' : writeStatement(schema, 'approval', approvals))
    return answers
  }

  async #load(session: Session, calls: readonly Call[], writes: boolean) {
    const s = this.#target.schema
    const ids = calls
      .map(({ id }) => id)
      .filter((id): id is string => typeof id === 'string' && id.length <= ID_LENGTH_MAX && id.isWellFormed())
    // One lock for all writers is enough: people answer approvals, so few transactions run at a time.
    const lock = writes ? `SELECT pg_advisory_xact_lock(hashtext('sudoagent:${s}.approval'))` : 'SELECT 1'
    await session.askTogether('BEGIN ISOLATION LEVEL READ COMMITTED', lock)
    const [now] = await session.ask<{ readonly now_ms: number; readonly fsync: string; readonly questions: boolean }>(
      `SELECT ${NOW_MS} AS now_ms, current_setting('fsync') AS fsync, to_regclass('${s}.question') IS NOT NULL AS questions`,
    )
    if (writes) requireFsync(now?.fsync ?? '', this.#synchronousCommit, this.#target)
    const databaseMs = now?.now_ms ?? Number.NaN
    const hasQuestions = now?.questions === true
    if (hasQuestions && !this.#checked.has(session)) {
      await requireTables(session, this.#target)
      this.#checked.add(session)
    }
    const tables = hasQuestions ? (['approval', 'question'] as const) : (['approval'] as const)
    if (writes) {
      const expiredMs = Math.floor(this.#clock(calls[0]?.callersMs ?? 0, databaseMs)) - APPROVAL_RETENTION_MS
      await session.askTogether(...tables.map((table) => pruneStatement(s, table, expiredMs)))
    }
    // Renewals precede all other calls of the group, which are concurrent with them, so the rows that a `lease` reads
    // and writes are already renewed.
    for (const { renew, callersMs } of hasQuestions ? calls : [])
      if (isHolder(renew)) await session.ask(renewStatement(s, renew, Math.floor(this.#clock(callersMs, databaseMs))))
    const [rows, questions] = (await session.askTogether(...tables.map((table) => findStatement(s, table, ids)))) as [
      readonly StoredApproval[],
      (readonly StoredQuestion[])?,
    ]
    const stagedQuestions = new StagedQuestions(questions ?? [], hasQuestions ? null : this.#target.shown)
    return { staged: new StagedApprovals(rows.map(fromColumns), stagedQuestions), hasQuestions, databaseMs }
  }

  /**
   * Converts the request times to the database clock. The lifetime of the request starts now; for a repeated
   * request, it started when the request was first stored. The times of a question are those of its ledger.
   */
  #rebase(request: ApprovalRequest, now: Date, row: ApprovalRow | undefined): ApprovalRequest {
    if (this.#clock !== databaseClock || request.asked !== undefined) return request
    const openMs = request.expiresAt.getTime() - request.createdAt.getTime()
    const createdMs = row?.createdAtMs ?? now.getTime()
    return { ...request, createdAt: new Date(createdMs), expiresAt: new Date(createdMs + openMs) }
  }

  #failed(cause: unknown): ApprovalStoreError {
    const { message, hint } = asLedgerError(cause, this.#target.shown, 'LEDGER_WRITE_FAILED')
    return new ApprovalStoreError('APPROVAL_STORE_FAILED', `the approval store failed: ${message}`, { cause, hint })
  }
}

/** The rules reject any other holder. */
const isHolder = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LEASE_HOLDER_LENGTH_MAX && value.isWellFormed()

/** Makes the protected constructor of `TableApprovalStore` accessible. */
class Rules extends TableApprovalStore {
  constructor(table: StagedApprovals) {
    super(table)
  }
}
