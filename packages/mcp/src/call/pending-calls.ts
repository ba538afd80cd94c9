/**
 * The calls that one guard answered "pending", and the results of those that ran since. All sessions of a guard share
 * it: its clients have the same token, or there is only one.
 *
 *   answered "pending" ──► running ──► ran, with its result for ten minutes ──► ran, without its result
 *        └── denied, expired, or decided by another process: forgotten
 *
 * Each call has two ids. The question id is in the ledger and the approval store. The waiting id, a hash of it, is what
 * the client gets; it reveals nothing, and it approves nothing.
 */
import { sha256Hex } from '@sudoagent/crypto'
import {
  RESULTS_KEPT_BYTES_MAX,
  RESULTS_KEPT_MAX,
  RESULTS_KEPT_MS,
  RUNS_KEPT_MAX,
  TOLD_BYTES_MAX,
  TOLD_MAX,
} from '../limits.js'
import { stringifyExact } from '../wire/exact-json.js'
import { Kept } from './kept.js'
import type { CallSubject } from './sent-call.js'

/** A call that was answered "pending". */
export interface ToldCall {
  /** The id of the question: the request id of the call. */
  readonly approvalId: string
  readonly subject: CallSubject
  /** The session of the last answer. */
  readonly session: object
}

/** Returns the result of a call, or throws the server's error. */
type Result = () => object

/** A call that ran: its result if it has ended and is kept; `gone` if it is no longer kept. */
export type Run = { readonly state: 'running'; readonly ended: Promise<unknown> } | { readonly state: 'gone' } | Result

export const waitingIdOf = (approvalId: string): string => sha256Hex(`sudoagent mcp pending ${approvalId}`).slice(0, 16)

export class PendingCalls {
  readonly #told = new Kept<ToldCall>({ count: TOLD_MAX, bytes: TOLD_BYTES_MAX })
  readonly #results = new Kept<Result>({ count: RESULTS_KEPT_MAX, bytes: RESULTS_KEPT_BYTES_MAX })
  readonly #announced = new Set<string>()
  /** Promises of running calls; null for a call that has ended. */
  readonly #runs = new Map<string, Promise<unknown> | null>()

  tell(call: ToldCall, expiresAt: Date): void {
    const { args, meta } = call.subject
    const bytes = Buffer.byteLength(args.text) + Buffer.byteLength(meta)
    this.#told.set(waitingIdOf(call.approvalId), call, { bytes, forMs: expiresAt.getTime() - Date.now() })
  }

  /** The question ids of the calls that are pending in a session, as far as this guard knows. */
  idsOf(session: object): readonly string[] {
    return this.#told.values.filter((call) => call.session === session).map(({ approvalId }) => approvalId)
  }

  find(waitingId: string): ToldCall | undefined {
    return this.#told.get(waitingId)
  }

  /**
   * Finds the pending call that a call repeats. The call is then made as it was made first, so that the server gets
   * what the approver saw: the order of the arguments, the spelling of numbers, and all of `_meta`.
   */
  sameAs({ action, definition, meta, args }: CallSubject): CallSubject | undefined {
    return this.#told.values
      .map(({ subject }) => subject)
      .find(
        (told) =>
          told.action === action &&
          told.definition === definition &&
          told.meta === meta &&
          told.args.refusal === null &&
          told.args.key === args.key,
      )
  }

  forget(approvalId: string): void {
    this.#told.delete(waitingIdOf(approvalId))
    this.#announced.delete(approvalId)
  }

  /** @returns whether the question is announced for the first time */
  announce(approvalId: string): boolean {
    if (this.#announced.has(approvalId)) return false
    this.#announced.add(approvalId)
    const [oldest = ''] = this.#announced
    if (this.#announced.size > RUNS_KEPT_MAX) this.#announced.delete(oldest)
    return true
  }

  /** Runs a call. If it was answered "pending", its result is kept. */
  async run(approvalId: string, work: () => Promise<object>): Promise<object> {
    const id = waitingIdOf(approvalId)
    this.#announced.delete(approvalId)
    if (this.#told.get(id) === undefined) return await work()
    this.#told.delete(id)
    const running = work()
    this.#runs.set(id, running)
    if (this.#runs.size > RUNS_KEPT_MAX) this.#dropOldestRun()
    try {
      const result = await running
      const bytes = Buffer.byteLength(stringifyExact(result))
      this.#results.set(id, () => result, { bytes, forMs: RESULTS_KEPT_MS })
      return result
    } catch (error) {
      const rethrow = (): never => {
        throw error
      }
      this.#results.set(id, rethrow, { bytes: 0, forMs: RESULTS_KEPT_MS })
      throw error
    } finally {
      this.#runs.set(id, null)
    }
  }

  /** Finds a call that ran. */
  findRun(waitingId: string): Run | undefined {
    const run = this.#runs.get(waitingId)
    if (run === undefined) return undefined
    if (run === null) return this.#results.get(waitingId) ?? { state: 'gone' }
    return { state: 'running', ended: run }
  }

  #dropOldestRun(): void {
    for (const [id, run] of this.#runs) {
      if (run !== null) continue
      this.#runs.delete(id)
      return
    }
  }
}
