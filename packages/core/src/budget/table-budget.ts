import {
  type ApplicableLimit,
  applicableLimits,
  type BudgetCharge,
  type BudgetStore,
  BudgetStoreError,
  type BudgetVerdict,
  bookingTimeMs,
  type CheckedLimits,
  judge,
  requireCharge,
  requireChargeId,
  requireNowMs,
} from '../budget.js'

export type ChargeState = 'reserved' | 'committed' | 'released'

export interface BookedCharge {
  readonly charge: BudgetCharge
  readonly chargedAtMs: number
  readonly state: ChargeState
}

/** What the rules need from a place that keeps charges. Synchronous: nothing can come in between the steps of `write`. */
export interface ChargeTable {
  /** Runs `work` alone and whole: everything it wrote is kept, durably, or, when it throws, nothing. Throws `BudgetStoreError` only. */
  write<T>(work: () => T): T
  find(requestId: string): BookedCharge | undefined
  insert(booked: BookedCharge): void
  setState(requestId: string, state: ChargeState): void
  /** The cost of what `limit` is about and not released, charged after `afterMs`; saturates at 2^53 − 1. */
  used(limit: ApplicableLimit, afterMs: number): number
  latestMs(): number | null
  /** Forgets some of the charges that no window reaches any more at `nowMs`. */
  prune(nowMs: number): void
}

/** The budget's rules, once, over any table. Arguments are checked before the table is touched. */
export class TableBudget implements BudgetStore {
  readonly windowMs: number
  readonly key: string | null
  readonly #limits: CheckedLimits
  readonly #table: ChargeTable

  protected constructor(limits: CheckedLimits, table: ChargeTable) {
    this.windowMs = limits.windowMs
    this.key = limits.key
    this.#limits = limits
    this.#table = table
  }

  async reserve(charge: BudgetCharge, now: Date): Promise<BudgetVerdict> {
    const asked = requireCharge(charge)
    const nowMs = requireNowMs(now)
    return this.#table.write(() => this.#reserve(asked, nowMs))
  }

  async commit(requestId: string, now: Date): Promise<void> {
    const id = requireChargeId(requestId)
    requireNowMs(now)
    this.#table.write(() => {
      const state = this.#table.find(id)?.state
      if (state === 'committed') return
      if (state !== 'reserved')
        throw new BudgetStoreError('BUDGET_NOT_RESERVED', 'nothing is reserved for this request')
      this.#table.setState(id, 'committed')
    })
  }

  async release(requestId: string, now: Date): Promise<void> {
    const id = requireChargeId(requestId)
    requireNowMs(now)
    this.#table.write(() => {
      const state = this.#table.find(id)?.state
      if (state === 'reserved' || state === 'committed') this.#table.setState(id, 'released')
    })
  }

  #reserve(charge: BudgetCharge, nowMs: number): BudgetVerdict {
    this.#table.prune(nowMs)
    const booked = this.#table.find(charge.requestId)
    if (booked !== undefined) return repeated(booked, charge)
    const afterMs = nowMs - this.windowMs
    const verdict = judge(charge.cost, applicableLimits(this.#limits, charge), (limit) =>
      this.#table.used(limit, afterMs),
    )
    if (verdict.allowed) {
      const chargedAtMs = bookingTimeMs(nowMs, this.#table.latestMs(), this.windowMs)
      this.#table.insert({ charge, chargedAtMs, state: 'reserved' })
    }
    return verdict
  }
}

function repeated(booked: BookedCharge, charge: BudgetCharge): BudgetVerdict {
  const { agentId, action, cost } = booked.charge
  if (agentId !== charge.agentId || action !== charge.action || cost !== charge.cost) {
    throw new BudgetStoreError('BUDGET_CONFLICT', 'this request has been charged otherwise')
  }
  if (booked.state === 'released')
    throw new BudgetStoreError('BUDGET_CONFLICT', 'the charge of this request has been given back')
  return Object.freeze({ allowed: true })
}
