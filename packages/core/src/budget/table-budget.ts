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

/** What the rules need from a place that keeps charges. Synchronous: nothing can come in between the steps of `write`. */
export interface ChargeTable {
  /** Runs `work` alone and whole: everything it wrote is kept, durably, or, when it throws, nothing. Throws `BudgetStoreError` only. */
  write<T>(work: () => T): T
  find(requestId: string): BookedCharge | undefined
  /** Puts a charge in, in the place of an earlier one of the same request id. */
  put(booked: BookedCharge): void
  setState(requestId: string, state: ChargeState): void
  /** The cost of what `limit` is about and not released, charged after `afterMs`; saturates at 2^53 − 1. */
  used(limit: ApplicableLimit, afterMs: number): number
  /** When the oldest charge of those that `used` adds up, and that costs anything, was taken; null when there is none. */
  oldestMs(limit: ApplicableLimit, afterMs: number): number | null
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
        throw new BudgetStoreError('BUDGET_NOT_RESERVED', 'nothing is reserved for this request')
      // The call runs now. Counted from the reservation, as long ago as a person took to answer, two windows' worth could run in one.
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
    throw new BudgetStoreError('BUDGET_CONFLICT', 'this request has been charged otherwise')
  }
}
