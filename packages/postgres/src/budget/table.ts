// A budget's charges as the rules want them, synchronously: what a group of calls needs was loaded before, what they change is written after, in
// one transaction that holds the budget's row.
import { BudgetStoreError } from '@sudoagent/core'
import {
  type ApplicableLimit,
  type BookedCharge,
  type ChargeState,
  type ChargeTable,
  requireCharge,
} from '@sudoagent/core/store'
import { decodeText } from '../session/text-column.js'

/** A charge as its row says it, unchecked. */
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
  /** By `limitKey`. */
  readonly used: ReadonlyMap<string, number>
  /** By `limitKey`: when the oldest charge in the window was taken; null when there is none. */
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

  /** What is to be written. */
  changed(): readonly BookedCharge[] {
    return [...this.#changed].flatMap((id) => this.#charges.get(id) ?? [])
  }

  /** The rules write one charge, and last: one call that is refused leaves nothing of itself behind. */
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
    if (used === undefined) throw new TypeError('what a limit has used was not loaded')
    return Math.min(used, Number.MAX_SAFE_INTEGER)
  }

  /** A charge of this very group that went again may still be the oldest here: it is said to a person, and decides nothing. */
  oldestMs(limit: ApplicableLimit): number | null {
    return this.#oldest.get(limitKey(limit)) ?? null
  }

  latestMs(): number | null {
    return this.#latestMs
  }

  /** Done by the statement that loads. */
  prune(): void {}

  #put(booked: BookedCharge): void {
    this.#charges.set(booked.charge.requestId, booked)
    this.#changed.add(booked.charge.requestId)
  }

  /** Only downwards it may be wrong, for a charge outside the window that is given back: so those are not counted here. */
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

  /** The beginning of the window that was loaded. */
  afterMs = Number.NEGATIVE_INFINITY
}

function requireRow(row: ChargeRow): BookedCharge {
  try {
    return checkRow(row)
  } catch (cause) {
    throw new BudgetStoreError('BUDGET_STORE_FAILED', 'the budget holds a charge that is none', { cause })
  }
}

/** @throws TypeError for a row that this code cannot have written */
function checkRow(row: ChargeRow): BookedCharge {
  const charge = requireCharge({
    requestId: decodeText(row.request_id),
    agentId: decodeText(row.agent_id),
    action: decodeText(row.action),
    cost: Number(row.cost),
  })
  const chargedAtMs = Number(row.charged_at_ms)
  const { state } = row
  if (!Number.isSafeInteger(chargedAtMs)) throw new TypeError('the charge has no time')
  if (state !== 'reserved' && state !== 'committed' && state !== 'released')
    throw new TypeError('the charge has no known state')
  return { charge, chargedAtMs, state }
}
