import {
  type ApplicableLimit,
  addSaturating,
  type BudgetLimits,
  BudgetStoreError,
  inWindow,
  parseLimits,
} from './budget.js'
import { type BookedCharge, type ChargeState, type ChargeTable, TableBudget } from './table-budget.js'

/**
 * The maximum number of charges. Each `reserve` reads all charges, which takes about a millisecond for this number. Use
 * SQLite for larger budgets.
 */
const CHARGES_MAX = 100_000

/**
 * Stores charges in the memory of this process. A restart discards the charges, so this budget limits a loop but not a
 * crash loop. To limit a crash loop, use SQLite.
 */
export class MemoryBudget extends TableBudget {
  /** @throws TypeError for invalid limits, naming the option */
  constructor(limits: BudgetLimits) {
    const checked = parseLimits(limits)
    super(checked, new MemoryTable(checked.windowMs))
  }
}

class MemoryTable implements ChargeTable {
  readonly #windowMs: number
  readonly #charges = new Map<string, BookedCharge>()
  #latestMs: number | null = null

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** A rollback is not needed, because the rules write one charge, as their last step. */
  write<T>(work: () => T): T {
    return work()
  }

  find(requestId: string): BookedCharge | undefined {
    return this.#charges.get(requestId)
  }

  put(booked: BookedCharge): void {
    // The charge is deleted before it is set, so that it moves to the end of the map. The map is sorted by time.
    this.#charges.delete(booked.charge.requestId)
    if (this.#charges.size >= CHARGES_MAX) {
      throw new BudgetStoreError('BUDGET_STORE_FAILED', `more than ${CHARGES_MAX} charges are in the window`)
    }
    this.#charges.set(booked.charge.requestId, booked)
    this.#latestMs = Math.max(this.#latestMs ?? booked.chargedAtMs, booked.chargedAtMs)
  }

  setState(requestId: string, state: ChargeState): void {
    const booked = this.#charges.get(requestId)
    if (booked !== undefined) this.#charges.set(requestId, { ...booked, state })
  }

  used(limit: ApplicableLimit, afterMs: number): number {
    let used = 0
    for (const booked of this.#charges.values()) {
      if (counts(booked, limit, afterMs)) used = addSaturating(used, booked.charge.cost)
    }
    return used
  }

  oldestMs(limit: ApplicableLimit, afterMs: number): number | null {
    let oldest = Number.POSITIVE_INFINITY
    for (const booked of this.#charges.values()) {
      if (booked.charge.cost > 0 && counts(booked, limit, afterMs)) oldest = Math.min(oldest, booked.chargedAtMs)
    }
    return Number.isFinite(oldest) ? oldest : null
  }

  latestMs(): number | null {
    return this.#latestMs
  }

  /**
   * Charges are nearly sorted by time, because a booking time is at most one window earlier than the booking time
   * before it. The loop ends at the first charge that counts.
   */
  prune(nowMs: number): void {
    for (const { charge, chargedAtMs } of this.#charges.values()) {
      if (inWindow(chargedAtMs, nowMs, this.#windowMs)) return
      this.#charges.delete(charge.requestId)
    }
  }
}

function counts({ charge, chargedAtMs, state }: BookedCharge, limit: ApplicableLimit, afterMs: number): boolean {
  const name = limit.scope === 'agent' ? charge.agentId : charge.action
  return name === limit.name && state !== 'released' && chargedAtMs > afterMs
}
