import type Database from 'better-sqlite3'
import { quote } from '../check.js'
import { closeDatabase, hintOf, openDatabase, reasonOf, transact } from '../sqlite-file.js'
import type { SqliteStoreOptions } from '../sqlite-options.js'
import { BUDGET_SCHEMA } from '../sqlite-schema.js'
import {
  type ApplicableLimit,
  type BudgetLimits,
  BudgetStoreError,
  type CheckedLimits,
  parseLimits,
  requireCharge,
} from './budget.js'
import { type BookedCharge, type ChargeState, type ChargeTable, TableBudget } from './table-budget.js'

/**
 * The maximum number of old charges that one `reserve` deletes. With this limit, old charges are deleted faster than
 * new charges are added, and each `reserve` still takes little time.
 */
const PRUNE_ROWS = 100

/**
 * Computes a saturating sum: `total` adds doubles, which are exact up to 2^53 − 1. `bad` counts rows that this code
 * cannot have written.
 */
const USED = (column: string) => `SELECT CAST(min(total(cost), 9007199254740991) AS INTEGER) AS used,
  count(*) FILTER (WHERE typeof(cost) <> 'integer' OR cost < 0) AS bad
  FROM sudoagent_budget_charge WHERE budget_key = @key AND ${column} = @name AND charged_at_ms > @afterMs AND state <> 'released'`

const OLDEST = (column: string) => `SELECT min(charged_at_ms) AS oldestMs
  FROM sudoagent_budget_charge WHERE budget_key = @key AND ${column} = @name AND charged_at_ms > @afterMs AND state <> 'released' AND cost > 0`

/**
 * Stores charges in a SQLite file that several processes share. Check and charge happen in one transaction under the
 * write lock, so two processes cannot both take the last unit. The charge is durable before the call returns. The
 * SQLite calls are synchronous. While a different process has the lock, a call blocks the event loop for at most
 * `busyTimeoutMs` and then fails.
 *
 * Each process applies its own limits to the shared charges; configure the same limits in all processes.
 */
export class SqliteBudget extends TableBudget {
  readonly #db: Database.Database

  private constructor(db: Database.Database, limits: CheckedLimits) {
    super(limits, new SqliteTable(db, limits))
    this.#db = db
  }

  /**
   * Opens the file. Creates the file (mode 0600) and its tables if they do not exist.
   *
   * @throws TypeError for invalid limits, path or options; BudgetStoreError `BUDGET_STORE_FAILED` when the file
   *   cannot be opened or is not a database
   * @example const budget = SqliteBudget.open('budget.sqlite', { windowMs: 3_600_000, perTool: { refund: 5 } })
   */
  static open(path: string, limits: BudgetLimits, options: SqliteStoreOptions = {}): SqliteBudget {
    const checked = parseLimits(limits)
    try {
      return openDatabase(path, options, BUDGET_SCHEMA, (db) => new SqliteBudget(db, checked))
    } catch (error) {
      if (error instanceof TypeError) throw error
      throw storeFailed(`cannot open ${quote(String(path))}`, error)
    }
  }

  /** Closes the file. Later calls are rejected with `BUDGET_STORE_FAILED`. */
  async close(): Promise<void> {
    closeDatabase(this.#db)
  }
}

class SqliteTable implements ChargeTable {
  readonly #db: Database.Database
  readonly #key: string
  readonly #find: Database.Statement
  readonly #put: Database.Statement
  readonly #setState: Database.Statement
  readonly #used: { readonly agent: Database.Statement; readonly tool: Database.Statement }
  readonly #oldest: { readonly agent: Database.Statement; readonly tool: Database.Statement }
  readonly #latest: Database.Statement
  readonly #prune: Database.Statement

  constructor(db: Database.Database, limits: CheckedLimits) {
    this.#db = db
    this.#key = limits.key ?? ''
    const key = 'budget_key = @key'
    this.#find =
      db.prepare(`SELECT request_id AS requestId, agent_id AS agentId, action, cost, charged_at_ms AS chargedAtMs, state
      FROM sudoagent_budget_charge WHERE ${key} AND request_id = @requestId`)
    this.#put =
      db.prepare(`INSERT INTO sudoagent_budget_charge (budget_key, request_id, agent_id, action, cost, charged_at_ms, state)
      VALUES (@key, @requestId, @agentId, @action, @cost, @chargedAtMs, @state)
      ON CONFLICT (budget_key, request_id) DO UPDATE SET charged_at_ms = excluded.charged_at_ms, state = excluded.state`)
    this.#setState = db.prepare(
      `UPDATE sudoagent_budget_charge SET state = @state WHERE ${key} AND request_id = @requestId`,
    )
    this.#used = { agent: db.prepare(USED('agent_id')), tool: db.prepare(USED('action')) }
    this.#oldest = { agent: db.prepare(OLDEST('agent_id')), tool: db.prepare(OLDEST('action')) }
    this.#latest = db.prepare(`SELECT max(charged_at_ms) AS latestMs FROM sudoagent_budget_charge WHERE ${key}`)
    this.#prune =
      db.prepare(`DELETE FROM sudoagent_budget_charge WHERE rowid IN (SELECT rowid FROM sudoagent_budget_charge
      WHERE ${key} AND charged_at_ms <= @nowMs - (SELECT window_ms FROM sudoagent_budget WHERE ${key})
      ORDER BY charged_at_ms LIMIT ${PRUNE_ROWS})`)
    const window = db.prepare(`INSERT INTO sudoagent_budget VALUES (@key, @windowMs)
      ON CONFLICT (budget_key) DO UPDATE SET window_ms = max(window_ms, excluded.window_ms)`)
    transact(db, () => window.run({ key: this.#key, windowMs: limits.windowMs }))
  }

  write<T>(work: () => T): T {
    try {
      return transact(this.#db, work)
    } catch (error) {
      if (error instanceof BudgetStoreError) throw error
      throw storeFailed('the budget store failed', error)
    }
  }

  find(requestId: string): BookedCharge | undefined {
    const raw = this.#find.get({ key: this.#key, requestId })
    return raw === undefined ? undefined : checkRow(raw as Record<string, unknown>)
  }

  put({ charge, chargedAtMs, state }: BookedCharge): void {
    this.#put.run({ ...charge, key: this.#key, chargedAtMs, state })
  }

  setState(requestId: string, state: ChargeState): void {
    const { changes } = this.#setState.run({ key: this.#key, requestId, state })
    // The write lock prevents a concurrent change. If the charge has changed nevertheless, the transaction must fail.
    if (changes !== 1) throw new BudgetStoreError('BUDGET_STORE_FAILED', 'the charge changed while it was locked')
  }

  used(limit: ApplicableLimit, afterMs: number): number {
    const { used, bad } = this.#used[limit.scope].get({ key: this.#key, name: limit.name, afterMs }) as Record<
      string,
      unknown
    >
    if (bad !== 0 || typeof used !== 'number')
      throw new BudgetStoreError('BUDGET_STORE_FAILED', 'the budget contains an invalid charge')
    return used
  }

  oldestMs(limit: ApplicableLimit, afterMs: number): number | null {
    const { oldestMs } = this.#oldest[limit.scope].get({ key: this.#key, name: limit.name, afterMs }) as Record<
      string,
      unknown
    >
    return oldestMs === null ? null : requireTime(oldestMs)
  }

  latestMs(): number | null {
    const { latestMs } = this.#latest.get({ key: this.#key }) as Record<string, unknown>
    return latestMs === null ? null : requireTime(latestMs)
  }

  prune(nowMs: number): void {
    this.#prune.run({ key: this.#key, nowMs })
  }
}

/** Validates a row, because other programs can write to the file. @throws TypeError */
function checkRow(raw: Record<string, unknown>): BookedCharge {
  const { requestId, agentId, action, cost, chargedAtMs, state } = raw
  const charge = requireCharge({ requestId, agentId, action, cost } as BookedCharge['charge'])
  if (state !== 'reserved' && state !== 'committed' && state !== 'released')
    throw new TypeError('the charge has an unknown state')
  return { charge, chargedAtMs: requireTime(chargedAtMs), state }
}

function requireTime(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('the charge has an invalid time')
  return value as number
}

function storeFailed(what: string, cause: unknown): BudgetStoreError {
  return new BudgetStoreError('BUDGET_STORE_FAILED', `${what}: ${reasonOf(cause)}`, { cause, hint: hintOf(cause) })
}
