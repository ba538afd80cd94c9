/**
 * A budget that many hosts share: check and charge are one transaction, which locks the budget row.
 *
 * `TableBudget` in `@sudoagent/core/store` implements the rules (windows, limits, reservations), as it does for
 * SQLite and memory. For each limit, this file sums the charges within the limit's window in SQL, by agent, by action
 * or in total. It then passes the sums and the affected charges to the rules, and writes the changed rows:
 *
 *   lock budget row → sums and rows (staged) → TableBudget → changed rows → COMMIT
 *
 * All times come from the database clock. Calls that wait at the same time share a transaction (`lane.ts`).
 *
 *   const budget = await PostgresBudget.open(url, { windowMs: 3_600_000, perTool: { refund: 5 } })
 *   reserve(charge)   { allowed: true }, at most five times an hour over all hosts
 *   commit(charge)    after the approval; release(charge) after a denial
 */
import {
  type BudgetCharge,
  type BudgetLimits,
  type BudgetStore,
  BudgetStoreError,
  type BudgetVerdict,
} from '@sudoagent/core'
import {
  applicableLimits,
  type CheckedLimits,
  ownFields,
  parseLimits,
  requireCharge,
  requireChargeId,
  requireNowMs,
  TableBudget,
} from '@sudoagent/core/store'
import { NOW_MS } from '../ledger/rows.js'
import { asLedgerError } from '../session/failure.js'
import { Batcher } from '../session/lane.js'
import type { Session } from '../session/session.js'
import { requireFsync, type SynchronousCommit } from '../session/session-settings.js'
import { databaseClock, type StoreClock } from '../session/store-clock.js'
import { parseTarget, type Target } from '../session/target.js'
import { encodeText } from '../session/text-column.js'
import { type ChargeRow, type Loaded, limitKey, loadText, StagedCharges } from './table.js'

export interface PostgresBudgetOptions {
  /** How long a call waits for other transactions, in milliseconds. Default: 5,000. */
  readonly busyTimeoutMs?: number
  /** Lifetime of an uncommitted reservation, in milliseconds, 1,000 to 3,600,000. Default: 60,000. */
  readonly reservationMs?: number
  readonly synchronousCommit?: SynchronousCommit
}

const BUSY_TIMEOUT_MS = 5_000

/**
 * Lifetime of a reservation for a call without an approval, in milliseconds. The engine commits the reservation
 * right after it checks the arguments; a process that takes longer has probably died.
 */
const RESERVATION_MS = 60_000

type Call =
  | { readonly kind: 'reserve'; readonly charge: BudgetCharge; readonly callersMs: number; readonly holdMs: number }
  | { readonly kind: 'commit' | 'release'; readonly requestId: string; readonly callersMs: number }

/**
 * Stores charges in PostgreSQL. A reservation that is not committed within `reservationMs`, or within the lifetime
 * of its approval, is released, because its process has probably died. If the process is still alive, its commit is
 * refused, and the call does not run. Each process applies its own limits to the shared charges: configure the same
 * limits in every process.
 */
export class PostgresBudget implements BudgetStore {
  readonly windowMs: number
  readonly key: string | null
  readonly #limits: CheckedLimits
  readonly #target: Target
  readonly #lane: Batcher<Call, BudgetVerdict | undefined>
  readonly #clock: StoreClock
  readonly #synchronousCommit: SynchronousCommit
  readonly #reservationMs: number
  /** The key of this budget in the tables. */
  readonly #budgetKey: string

  /** Used by `open`, and by tests that control the clock. */
  constructor(
    url: string,
    limits: BudgetLimits,
    options: PostgresBudgetOptions = {},
    clock: StoreClock = databaseClock,
  ) {
    const {
      busyTimeoutMs = BUSY_TIMEOUT_MS,
      reservationMs = RESERVATION_MS,
      synchronousCommit = 'on',
    } = ownFields(options)
    this.#limits = parseLimits(limits)
    requireBetween('busyTimeoutMs', busyTimeoutMs, 1, 600_000)
    this.#reservationMs = requireBetween('reservationMs', reservationMs, 1_000, 3_600_000)
    this.#target = parseTarget(url)
    this.windowMs = this.#limits.windowMs
    this.key = this.#limits.key
    this.#budgetKey = encodeText(this.#limits.key ?? '')
    this.#clock = clock
    this.#synchronousCommit = synchronousCommit
    this.#lane = new Batcher(
      { target: this.#target, lockTimeoutMs: busyTimeoutMs, synchronousCommit },
      (session, calls) => this.#serve(session, calls),
    )
  }

  /**
   * @param url - `postgres://user@host/database`
   * @throws TypeError for invalid limits or options; BudgetStoreError BUDGET_STORE_FAILED if the server cannot be
   *   used
   * @example const budget = await PostgresBudget.open('postgres://agent@db.example.com/evidence', { windowMs:
   *   3_600_000, perTool: { refund: 5 } })
   */
  static async open(url: string, limits: BudgetLimits, options: PostgresBudgetOptions = {}): Promise<PostgresBudget> {
    const budget = new PostgresBudget(url, limits, options)
    try {
      await budget.#lane.open()
    } catch (error) {
      throw budget.#failed(error)
    }
    return budget
  }

  async reserve(charge: BudgetCharge, now: Date, holdMs = 0): Promise<BudgetVerdict> {
    requireBetween('holdMs', holdMs, 0, Number.MAX_SAFE_INTEGER)
    const call = {
      charge: requireCharge(charge),
      callersMs: requireNowMs(now),
      holdMs: Math.min(holdMs, this.windowMs),
    }
    const verdict = await this.#do({ kind: 'reserve', ...call })
    if (verdict === undefined) throw new BudgetStoreError('BUDGET_STORE_FAILED', 'a reservation was not answered')
    return verdict
  }

  async commit(requestId: string, now: Date): Promise<void> {
    await this.#do({ kind: 'commit', requestId: requireChargeId(requestId), callersMs: requireNowMs(now) })
  }

  async release(requestId: string, now: Date): Promise<void> {
    await this.#do({ kind: 'release', requestId: requireChargeId(requestId), callersMs: requireNowMs(now) })
  }

  /** Calls after `close` fail with `BUDGET_STORE_FAILED`. */
  async close(): Promise<void> {
    await this.#lane.close()
  }

  async #do(call: Call): Promise<BudgetVerdict | undefined> {
    try {
      return await this.#lane.do(call)
    } catch (error) {
      if (error instanceof TypeError || error instanceof BudgetStoreError) throw error
      throw this.#failed(error)
    }
  }

  /**
   * Runs a group in one transaction: locks the budget row, loads the rows that the calls need, applies the rules,
   * and writes the changes.
   */
  async #serve(session: Session, calls: readonly Call[]): Promise<readonly (() => BudgetVerdict | undefined)[]> {
    const loaded = await this.#load(session, calls)
    const staged = new StagedCharges(loaded)
    staged.afterMs = loaded.nowMs - this.windowMs
    const rules = new Rules(this.#limits, staged)
    const answers: (() => BudgetVerdict | undefined)[] = []
    for (const call of calls) answers.push(await outcomeOf(() => this.#decide(rules, call, loaded.nowMs)))
    await session.writeAndCommit(this.#writeQuery(staged, calls))
    return answers
  }

  async #decide(rules: TableBudget, call: Call, nowMs: number): Promise<BudgetVerdict | undefined> {
    const now = new Date(nowMs)
    if (call.kind === 'reserve') return rules.reserve(call.charge, now)
    await (call.kind === 'commit' ? rules.commit(call.requestId, now) : rules.release(call.requestId, now))
    return undefined
  }

  async #load(session: Session, calls: readonly Call[]): Promise<Loaded & { readonly nowMs: number }> {
    const s = this.#target.schema
    const key = this.#budgetKey
    const lock = `WITH made AS (INSERT INTO ${s}.budget (budget_key, window_ms) VALUES ($1, $2)
        ON CONFLICT (budget_key) DO UPDATE SET window_ms = greatest(budget.window_ms, excluded.window_ms) RETURNING window_ms)
      SELECT window_ms, ${NOW_MS} AS now_ms, current_setting('fsync') AS fsync FROM made`
    const [, [budget]] = (await session.askTogether('BEGIN ISOLATION LEVEL READ COMMITTED', {
      name: `sudoagent_budget_lock_${s}`,
      text: lock,
      values: [key, this.windowMs],
    })) as [unknown, [{ readonly window_ms: string; readonly now_ms: number; readonly fsync: string }?]]
    if (budget === undefined) throw new Error('the budget row is missing')
    requireFsync(budget.fsync, this.#synchronousCommit, this.#target)
    const nowMs = Math.floor(this.#clock(calls[0]?.callersMs ?? 0, budget.now_ms))
    const limits = this.#limitsOf(calls)
    const [row] = await session.ask<{
      readonly charges: ChargeRow[] | null
      readonly latest: string | null
      readonly used: number[] | null
      readonly oldest: (number | null)[] | null
    }>({
      name: `sudoagent_budget_load_${s}`,
      text: loadText(s),
      values: [
        key,
        nowMs,
        nowMs - Number(budget.window_ms),
        nowMs - this.windowMs,
        calls.map((call) => encodeText(call.kind === 'reserve' ? call.charge.requestId : call.requestId)),
        limits.map(({ scope }) => scope),
        limits.map(({ name }) => encodeText(name)),
      ],
    })
    const used = row?.used ?? []
    const oldest = row?.oldest ?? []
    return {
      charges: row?.charges ?? [],
      used: new Map(limits.map((limit, index) => [limitKey(limit), requireSum(used[index])])),
      oldest: new Map(limits.map((limit, index) => [limitKey(limit), oldest[index] ?? null])),
      latestMs: row?.latest == null ? null : Number(row.latest),
      nowMs,
    }
  }

  #limitsOf(calls: readonly Call[]) {
    const all = calls.flatMap((call) => (call.kind === 'reserve' ? applicableLimits(this.#limits, call.charge) : []))
    return [...new Map(all.map((limit) => [limitKey(limit), limit])).values()]
  }

  #writeQuery(staged: StagedCharges, calls: readonly Call[]) {
    const s = this.#target.schema
    const changed = staged.changed()
    const holds = new Map(
      calls.flatMap((call) => (call.kind === 'reserve' ? [[call.charge.requestId, call.holdMs]] : [])),
    )
    const holdMs = (requestId: string): number => Math.max(this.#reservationMs, holds.get(requestId) ?? 0)
    return {
      name: `sudoagent_budget_write_${s}`,
      text: `INSERT INTO ${s}.budget_charge (budget_key, request_id, agent_id, action, cost, charged_at_ms, reserved_until_ms, state)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
        ON CONFLICT (budget_key, request_id) DO UPDATE SET state = excluded.state, agent_id = excluded.agent_id, action = excluded.action,
          cost = excluded.cost, charged_at_ms = excluded.charged_at_ms, reserved_until_ms = excluded.reserved_until_ms`,
      values: [
        this.#budgetKey,
        changed.map(({ charge }) => encodeText(charge.requestId)),
        changed.map(({ charge }) => encodeText(charge.agentId)),
        changed.map(({ charge }) => encodeText(charge.action)),
        changed.map(({ charge }) => charge.cost),
        changed.map(({ chargedAtMs }) => chargedAtMs),
        changed.map(({ charge, chargedAtMs }) => chargedAtMs + holdMs(charge.requestId)),
        changed.map(({ state }) => state),
      ],
    }
  }

  #failed(cause: unknown): BudgetStoreError {
    const { message, hint } = asLedgerError(cause, this.#target.shown, 'LEDGER_WRITE_FAILED')
    return new BudgetStoreError('BUDGET_STORE_FAILED', `the budget store failed: ${message}`, { cause, hint })
  }
}

/** Makes the protected constructor of `TableBudget` accessible. */
class Rules extends TableBudget {
  constructor(limits: CheckedLimits, table: StagedCharges) {
    super(limits, table)
  }
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<() => T> {
  try {
    const value = await work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function requireSum(value: unknown): number {
  const sum = Number(value)
  if (value === undefined || !Number.isSafeInteger(sum))
    throw new BudgetStoreError('BUDGET_STORE_FAILED', 'the budget contains an invalid charge')
  return sum
}

function requireBetween(name: string, value: unknown, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max)
    throw new TypeError(`\`${name}\` must be an integer from ${min} to ${max}`)
  return Number(value)
}
