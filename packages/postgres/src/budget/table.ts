// Implements the synchronous table that the budget rules need. The rows for a group of calls are loaded before the
// rules run, and the changed rows are written afterwards, in the transaction that locks the budget row.
import { BudgetStoreError } from '@sudoagent/core'
import {
  type ApplicableLimit,
  type BookedCharge,
  type ChargeState,
  type ChargeTable,
  requireCharge,
} from '@sudoagent/core/store'
import { decodeText } from '../session/text-column.js'

/**
 * Maximum number of old charges that a transaction deletes: more than a transaction adds, but few enough that no
 * call waits long.
 */
const PRUNE_ROWS = 500

// Releases expired reservations permanently, so that a clock change cannot revive them, and deletes charges outside
// all windows. A statement does not see its own changes, so the sums also exclude expired reservations.
export const loadText = (s: string): string => {
  const counts = `budget_key = $1 AND charged_at_ms > $4 AND state <> 'released' AND NOT (state = 'reserved' AND reserved_until_ms <= $2)`
  const sum = (column: string): string =>
    `(SELECT coalesce(sum(cost), 0) FROM ${s}.budget_charge WHERE ${column} = name AND ${counts})`
  const oldest = (column: string): string =>
    `(SELECT min(charged_at_ms) FROM ${s}.budget_charge WHERE ${column} = name AND cost > 0 AND ${counts})`
  return `WITH lapsed AS (
    UPDATE ${s}.budget_charge SET state = 'released' WHERE budget_key = $1 AND state = 'reserved' AND reserved_until_ms <= $2
  ), gone AS (
    DELETE FROM ${s}.budget_charge WHERE budget_key = $1 AND NOT (state = 'reserved' AND reserved_until_ms <= $2) AND request_id = ANY (ARRAY (
      SELECT request_id FROM ${s}.budget_charge WHERE budget_key = $1 AND charged_at_ms <= $3 ORDER BY charged_at_ms LIMIT ${PRUNE_ROWS}))
  )
  SELECT
    (SELECT json_agg(json_build_object('request_id', request_id, 'agent_id', agent_id, 'action', action, 'cost', cost::text,
        'charged_at_ms', charged_at_ms::text,
        'state', CASE WHEN state = 'reserved' AND reserved_until_ms <= $2 THEN 'released' ELSE state END))
      FROM ${s}.budget_charge WHERE budget_key = $1 AND request_id = ANY ($5) AND charged_at_ms > $3) AS charges,
    (SELECT max(charged_at_ms) FROM ${s}.budget_charge WHERE budget_key = $1) AS latest,
    (SELECT array_agg(least(CASE WHEN scope = 'agent' THEN ${sum('agent_id')} ELSE ${sum('action')} END, 9007199254740991)::float8 ORDER BY n)
      FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS given (scope, name, n)) AS used,
    (SELECT array_agg((CASE WHEN scope = 'agent' THEN ${oldest('agent_id')} ELSE ${oldest('action')} END)::float8 ORDER BY n)
      FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS given (scope, name, n)) AS oldest`
}

/** An unvalidated charge row. */
export interface ChargeRow {
  readonly request_id: string
  readonly agent_id: string
  readonly action: string
  readonly cost: string
  readonly charged_at_ms: string
  readonly state: string
}

export interface Loaded {
  readonly charges: readonly ChargeRow[]
  /** Number of used units, by `limitKey`. */
  readonly used: ReadonlyMap<string, number>
  /** Time of the oldest charge in the window, by `limitKey`; null if the window has no charge. */
  readonly oldest: ReadonlyMap<string, number | null>
  readonly latestMs: number | null
}

export const limitKey = ({ scope, name }: Pick<ApplicableLimit, 'scope' | 'name'>): string => `${scope}:${name}`

export class StagedCharges implements ChargeTable {
  readonly #charges = new Map<string, BookedCharge>()
  readonly #used: Map<string, number>
  readonly #oldest: Map<string, number | null>
  readonly #changed = new Set<string>()
  #latestMs: number | null

  constructor({ charges, used, oldest, latestMs }: Loaded) {
    for (const row of charges) this.#charges.set(decodeText(row.request_id), requireRow(row))
    this.#used = new Map(used)
    this.#oldest = new Map(oldest)
    this.#latestMs = latestMs
  }

  /** The rows to write. */
  changed(): readonly BookedCharge[] {
    return [...this.#changed].flatMap((id) => this.#charges.get(id) ?? [])
  }

  /** The rules write at most one charge, as their last step, so a refused call leaves no changes. */
  write<T>(work: () => T): T {
    return work()
  }

  find(requestId: string): BookedCharge | undefined {
    return this.#charges.get(requestId)
  }

  put(booked: BookedCharge): void {
    const before = this.#charges.get(booked.charge.requestId)
    if (before !== undefined && before.state !== 'released') this.#add(before, -before.charge.cost)
    this.#put(booked)
    this.#add(booked, booked.charge.cost)
    this.#latestMs = Math.max(this.#latestMs ?? booked.chargedAtMs, booked.chargedAtMs)
  }

  setState(requestId: string, state: ChargeState): void {
    const booked = this.#charges.get(requestId)
    if (booked === undefined) return
    if (state === 'released') this.#add(booked, -booked.charge.cost)
    this.#put({ ...booked, state })
  }

  used(limit: ApplicableLimit): number {
    const used = this.#used.get(limitKey(limit))
    if (used === undefined) throw new TypeError('the usage of a limit was not loaded')
    return Math.min(used, Number.MAX_SAFE_INTEGER)
  }

  /** May return a charge that this group released, because the value is only displayed. */
  oldestMs(limit: ApplicableLimit): number | null {
    return this.#oldest.get(limitKey(limit)) ?? null
  }

  latestMs(): number | null {
    return this.#latestMs
  }

  /** Does nothing: the statement that loads the rows also deletes old rows. */
  prune(): void {}

  #put(booked: BookedCharge): void {
    this.#charges.set(booked.charge.requestId, booked)
    this.#changed.add(booked.charge.requestId)
  }

  /** The sum does not include charges outside the window, so releasing such a charge must not reduce the sum. */
  #add({ charge, chargedAtMs }: BookedCharge, cost: number): void {
    if (cost < 0 && chargedAtMs <= this.afterMs) return
    for (const key of [
      limitKey({ scope: 'agent', name: charge.agentId }),
      limitKey({ scope: 'tool', name: charge.action }),
    ]) {
      const used = this.#used.get(key)
      if (used !== undefined) this.#used.set(key, used + cost)
      if (cost > 0 && this.#oldest.get(key) === null) this.#oldest.set(key, chargedAtMs)
    }
  }

  /** Start of the loaded window. */
  afterMs = Number.NEGATIVE_INFINITY
}

function requireRow(row: ChargeRow): BookedCharge {
  try {
    return checkRow(row)
  } catch (cause) {
    throw new BudgetStoreError('BUDGET_STORE_FAILED', 'the budget contains an invalid charge', { cause })
  }
}

/** @throws TypeError if this code cannot have written the row */
function checkRow(row: ChargeRow): BookedCharge {
  const charge = requireCharge({
    requestId: decodeText(row.request_id),
    agentId: decodeText(row.agent_id),
    action: decodeText(row.action),
    cost: Number(row.cost),
  })
  const chargedAtMs = Number(row.charged_at_ms)
  const { state } = row
  if (!Number.isSafeInteger(chargedAtMs)) throw new TypeError('the charge has an invalid time')
  if (state !== 'reserved' && state !== 'committed' && state !== 'released')
    throw new TypeError('the charge has an unknown state')
  return { charge, chargedAtMs, state }
}
