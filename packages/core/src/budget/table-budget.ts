import {
  type ApplicableLimit,
  applicableLimits,
  type BudgetCharge,
  type BudgetStore,
  BudgetStoreError,
  type BudgetVerdict,
  bookingTimeMs,
  type CheckedLimits,
  inWindow,
  judge,
  requireCharge,
  requireChargeId,
  requireNowMs,
} from './budget.js'
import { watchNames } from './unlisted-name.js'

export type ChargeState = 'reserved' | 'committed' | 'released'

export interface BookedCharge {
  readonly charge: BudgetCharge
  readonly chargedAtMs: number
  readonly state: ChargeState
}

/**
 * The storage interface that the rules need. The methods are synchronous, so that no other operation can run between
 * the steps of `write`.
 */
export interface ChargeTable {
  /**
   * Runs `work` in an exclusive transaction. The writes are committed durably, or rolled back if `work` throws. Throws
   * only `BudgetStoreError`.
   */
  write<T>(work: () => T): T
  find(requestId: string): BookedCharge | undefined
  /** Inserts a charge or replaces the charge with the same request id. */
  put(booked: BookedCharge): void
  setState(requestId: string, state: ChargeState): void
  /** Returns the sum of unreleased charges under `limit` made after `afterMs`; saturates at 2^53 − 1. */
  used(limit: ApplicableLimit, afterMs: number): number
  /** Returns the time of the oldest charge in that sum with a cost above 0; null if there is no such charge. */
  oldestMs(limit: ApplicableLimit, afterMs: number): number | null
  latestMs(): number | null
  /** Deletes some of the charges that are outside every window at `nowMs`. */
  prune(nowMs: number): void
}

/** Implements the budget rules on top of any table. Arguments are validated before the table is accessed. */
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
    watchNames(this.#limits, asked)
    return this.#table.write(() => this.#reserve(asked, nowMs))
  }

  async commit(requestId: string, now: Date): Promise<void> {
    const id = requireChargeId(requestId)
    const nowMs = requireNowMs(now)
    this.#table.write(() => {
      const booked = this.#table.find(id)
      if (booked?.state === 'committed') return
      if (booked?.state !== 'reserved' || !inWindow(booked.chargedAtMs, nowMs, this.windowMs))
        throw new BudgetStoreError('BUDGET_NOT_RESERVED', 'no charge is reserved for this request')
      // The call runs now, so the charge counts from now. The approval may have taken a long time. If the charge
      // counted from the reservation, calls charged in two windows could run within one window.
      this.#table.put({ ...booked, chargedAtMs: this.#bookingTime(nowMs), state: 'committed' })
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
    if (booked !== undefined) {
      requireSameCharge(booked.charge, charge)
      const holds = booked.state !== 'released' && inWindow(booked.chargedAtMs, nowMs, this.windowMs)
      if (holds) return Object.freeze({ allowed: true })
    }
    const afterMs = nowMs - this.windowMs
    const verdict = judge(
      charge.cost,
      applicableLimits(this.#limits, charge),
      (limit) => this.#table.used(limit, afterMs),
      (limit) => {
        const oldestMs = this.#table.oldestMs(limit, afterMs)
        return oldestMs === null ? null : oldestMs + this.windowMs
      },
    )
    if (verdict.allowed) this.#table.put({ charge, chargedAtMs: this.#bookingTime(nowMs), state: 'reserved' })
    return verdict
  }

  #bookingTime(nowMs: number): number {
    return bookingTimeMs(nowMs, this.#table.latestMs(), this.windowMs)
  }
}

function requireSameCharge({ agentId, action, cost }: BudgetCharge, charge: BudgetCharge): void {
  if (agentId !== charge.agentId || action !== charge.action || cost !== charge.cost) {
    throw new BudgetStoreError('BUDGET_CONFLICT', 'this request was already charged with different values')
  }
}
