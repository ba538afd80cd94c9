/**
 * A guarded call while it is being decided. If a person must approve the call, the client waits for the hold time and
 * then receives "pending". The question stays open in the ledger and in the approval store, and an equal call attaches
 * to it: in this session or another one, in this process or another one.
 *
 *   arrived ── a person is asked ──► waiting ── hold time over, connection lost, session ended ──► pending
 *      │                               │
 *      ▼ decided by the policy         ▼ answered in time
 *   allowed or denied                allowed or denied
 *
 * The engine's answer is the only one: if the person answers while the hold time ends, the call is either decided for
 * the waiting client, or pending with its answer in the store.
 */
import type { CallCancelled } from '@sudoagent/core'
import { WaitEnded } from '@sudoagent/core/boundary'
import { PROGRESS_INTERVAL_MS } from '../limits.js'

export interface HoldOptions {
  /** How long the client waits for a person, in milliseconds. */
  readonly holdMs: number
  /** Called repeatedly while the client waits. */
  readonly onWait: () => void
}

export class OpenCall {
  readonly #hold: HoldOptions
  readonly #controller = new AbortController()
  #isAsked = false
  #isLost = false
  #timer: NodeJS.Timeout | undefined
  #tick: NodeJS.Timeout | undefined

  constructor(hold: HoldOptions) {
    this.#hold = hold
  }

  /** Aborts when the wait for an approval must end. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Called when the decision starts to depend on a person: the hold time begins. */
  markAsked(): void {
    if (this.#isAsked || this.signal.aborted) return
    this.#isAsked = true
    const { holdMs, onWait } = this.#hold
    this.#timer = setTimeout(() => this.endWait(), holdMs)
    this.#tick = setInterval(onWait, PROGRESS_INTERVAL_MS)
    onWait()
    if (this.#isLost) this.endWait()
  }

  /** The connection of the request was lost. A call that does not wait for a person goes on. */
  detach(): void {
    this.#isLost = true
    if (this.#isAsked) this.endWait()
  }

  /** Leaves the question open: the call becomes pending. */
  endWait(): void {
    this.#controller.abort(new WaitEnded())
  }

  /** Denies the call, because its client does not want it any more. */
  cancel(reason: CallCancelled): void {
    this.#controller.abort(reason)
  }

  /** Stops the timers. Called after the decision. */
  end(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#tick)
  }
}
