// The one waiter of a question: a call of this engine, or of another process. Other processes see a waiter by its lease
// in the approval store, which ends by itself when the process is killed or stopped.
import { randomUUID } from 'node:crypto'
import { within } from '../call/deadline.js'
import { memberOf } from '../check.js'
import type { EngineParts } from '../options.js'

/** Less than a third of `LEASE_MS`, so that one failed renewal does not end a lease. */
const RENEW_MS = 3_000

type WaiterParts = Pick<EngineParts, 'approvalStore' | 'clock' | 'timeoutMs'>

export class Waiters {
  readonly #parts: WaiterParts
  readonly #holder = randomUUID()
  readonly #questions = new Set<string>()
  #timer: NodeJS.Timeout | null = null

  constructor(parts: WaiterParts) {
    this.#parts = parts
  }

  /** Whether a call of this engine waits for the answer to a question. */
  has(approvalId: string): boolean {
    return this.#questions.has(approvalId)
  }

  /**
   * Makes a call the waiter of a question.
   *
   * @returns false if another call waits, in this process or in another one
   * @throws the store's error
   */
  async take(approvalId: string): Promise<boolean> {
    if (this.has(approvalId)) return false
    this.#add(approvalId)
    try {
      const isTaken = await this.#lease(approvalId)
      if (!isTaken) this.release(approvalId)
      return isTaken
    } catch (error) {
      this.release(approvalId)
      throw error
    }
  }

  /** Makes a call the waiter of its new question. @returns the holder of the lease, for the store */
  begin(approvalId: string): string {
    this.#add(approvalId)
    return this.#holder
  }

  /** Ends the wait for a question that is decided: its lease lapses. */
  release(approvalId: string): void {
    if (!this.#questions.delete(approvalId) || this.#questions.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  /** Ends the wait for an open question, so that another call can take it at once. */
  async giveUp(approvalId: string): Promise<void> {
    if (!this.has(approvalId)) return
    const { approvalStore: store, clock } = this.#parts
    // A lease that cannot be ended lapses.
    await this.#do(async () => store.endLease?.(approvalId, this.#holder, clock())).catch(() => {})
    this.release(approvalId)
  }

  #add(approvalId: string): void {
    this.#questions.add(approvalId)
    this.#timer ??= setInterval(() => this.#renew(), RENEW_MS).unref()
  }

  /** A store without leases cannot tell: then only the calls of this engine count. */
  async #lease(approvalId: string): Promise<boolean> {
    const { approvalStore: store, clock } = this.#parts
    if (typeof memberOf(store, 'lease') !== 'function') return true
    return (await this.#do(async () => store.lease?.(approvalId, this.#holder, clock()))) === true
  }

  /** If a renewal fails, another process may take the lease. The ledger takes one decision in any case. */
  #renew(): void {
    const { approvalStore: store, clock } = this.#parts
    this.#do(async () => store.renewLeases?.(this.#holder, clock())).catch(() => {})
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    return within(this.#parts.timeoutMs, 'approval store', work)
  }
}
