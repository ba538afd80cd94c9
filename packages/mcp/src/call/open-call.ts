/**
 * A guarded call from its arrival to its decision, which may outlive the request that started it.
 *
 * `authorize` of the engine is one promise with one request id and one decision hash. When the client has waited
 * for the hold time, it receives "pending", and the promise stays open. Repeating the call attaches to it. So at
 * most one request waits at any time, and an approval is used for that request or not at all:
 *
 *   attached ── hold time over, or connection lost ──► detached ── same call again ──► attached
 *      │ approved                                         │ approved: waits for a repeated call until the deadline
 *      ▼                                                  ▼ not repeated: denied
 *   claimed: the request can no longer leave, the approval is used and the tool runs
 */
import type { Authorization, CallCancelled, Denial } from '@sudoagent/core'
import { PROGRESS_INTERVAL_MS } from '../limits.js'
import type { Params } from '../wire/peer.js'
import type { CallArguments } from './call-arguments.js'

export type Settled = Authorization | Denial

/** The subject of the decision, which is also what is sent if the call is allowed. */
export interface CallSubject {
  /** The parameters of the first `tools/call`. */
  readonly params: Params
  readonly args: CallArguments
  /** Digest of the tool's definition at that time. */
  readonly definition: string | null
}

export interface WaitOptions {
  /** How long the request waits for an approver, in milliseconds. */
  readonly holdMs: number
  /** Called repeatedly while it waits. */
  readonly onWait: () => void
}

export class OpenCall {
  readonly requestId: string
  readonly subject: CallSubject
  readonly #controller = new AbortController()
  #settled: Promise<Settled> | null = null
  #attached = true
  #claimed = false
  #asked = false
  #lost = false
  #onAsked: (() => void) | null = null
  #onAttached: (() => void) | null = null
  #leave: (() => void) | null = null

  constructor(requestId: string, subject: CallSubject) {
    this.requestId = requestId
    this.subject = subject
  }

  /** Aborted to end the wait for an approval. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True if no request waits and the call is not claimed: a repeated call may attach. */
  get isDetached(): boolean {
    return !this.#attached && !this.#claimed
  }

  /** True after an approver was asked. */
  get isAsked(): boolean {
    return this.#asked
  }

  /** @param settled - resolves with the decision of the engine */
  begin(settled: Promise<Settled>): void {
    this.#settled = settled
    // A waiting request receives the rejection; without one, it must not end the process.
    settled.catch(() => {})
  }

  attach(): void {
    this.#attached = true
    this.#lost = false
    this.#onAttached?.()
  }

  /** The client cancelled the call, or the session ended. */
  cancel(reason: CallCancelled): void {
    this.#controller.abort(reason)
  }

  /** The connection of the waiting request was lost. */
  detach(): void {
    this.#lost = true
    this.#leave?.()
  }

  /** Called by the approver: from now on, the decision depends on a person. */
  markAsked(): void {
    this.#asked = true
    this.#onAsked?.()
  }

  /** Resolves with the decision, or with `pending` after the hold time. @throws any error of the engine */
  wait({ holdMs, onWait }: WaitOptions): Promise<Settled | 'pending'> {
    return new Promise((resolve, reject) => {
      let hold: NodeJS.Timeout | undefined
      let tick: NodeJS.Timeout | undefined
      const stop = (): void => {
        clearTimeout(hold)
        clearInterval(tick)
        this.#onAsked = null
        this.#leave = null
      }
      this.#leave = () => {
        // The approval is being used for this request.
        if (this.#claimed || !this.#asked) return
        stop()
        this.#attached = false
        resolve('pending')
      }
      const start = (): void => {
        hold = setTimeout(() => this.#leave?.(), holdMs)
        tick = setInterval(onWait, PROGRESS_INTERVAL_MS)
        onWait()
        if (this.#lost) this.#leave?.()
      }
      this.#onAsked = start
      if (this.#asked) start()
      this.#settled?.then(
        (settled) => {
          stop()
          resolve(settled)
        },
        (error: unknown) => {
          stop()
          reject(error)
        },
      )
    })
  }

  /**
   * Called by the approver after approval: waits until a request is attached.
   *
   * @returns false after `patienceMs`, or when `signal` aborts
   */
  claim(patienceMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#attached) {
      this.#claimed = true
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const end = (came: boolean): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', gone)
        this.#onAttached = null
        this.#claimed = came
        resolve(came)
      }
      const gone = (): void => end(false)
      const timer = setTimeout(gone, patienceMs)
      signal.addEventListener('abort', gone, { once: true })
      this.#onAttached = () => end(true)
    })
  }
}
