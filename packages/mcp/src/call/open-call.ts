/**
 * A guarded call from its arrival to its decision, which may outlive the request that asked for it.
 *
 * The engine's `authorize` is one promise, bound to one request id and decision hash. A client waits for it as long as it is patient; then
 * it is told "pending" and the promise stays open. The same call again attaches to it. So at every moment at most one request waits, and
 * the approval, whenever it comes, is used for that one or for none:
 *
 *     attached ── held too long, or connection lost ──► detached ── the same call again ──► attached
 *        │ approved                                        │ approved: waits for the call to come again, until its deadline
 *        ▼                                                 ▼ nobody came: denied
 *     claimed: from here on the request cannot leave any more, the approval is used and the tool runs
 */
import type { Authorization, CallCancelled, Denial } from '@sudoagent/core'
import { PROGRESS_INTERVAL_MS } from '../limits.js'
import type { Params } from '../wire/peer.js'
import type { CallArguments } from './call-arguments.js'

export type Settled = Authorization | Denial

/** What was asked about, and what is sent if the answer is yes. */
export interface CallSubject {
  /** Of the `tools/call` that asked. */
  readonly params: Params
  readonly args: CallArguments
  /** Digest of the definition that its tool had then. */
  readonly definition: string | null
}

export interface WaitOptions {
  /** How long the request may wait for an approver, in milliseconds. */
  readonly holdMs: number
  /** Called now and then while it does. */
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

  /** Ends the wait for an approval. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Nobody waits for it, and it is not decided: the same call again may attach. */
  get isDetached(): boolean {
    return !this.#attached && !this.#claimed
  }

  /** An approver was asked. */
  get isAsked(): boolean {
    return this.#asked
  }

  /** @param settled - what the engine will say */
  begin(settled: Promise<Settled>): void {
    this.#settled = settled
    // Whoever waits hears of it; when nobody does, that must not end the process.
    settled.catch(() => {})
  }

  attach(): void {
    this.#attached = true
    this.#lost = false
    this.#onAttached?.()
  }

  /** The client cancelled, or the session is over. */
  cancel(reason: CallCancelled): void {
    this.#controller.abort(reason)
  }

  /** The connection of the waiting request is lost. */
  detach(): void {
    this.#lost = true
    this.#leave?.()
  }

  /** Told by the approver: from now on it takes as long as people do. */
  markAsked(): void {
    this.#asked = true
    this.#onAsked?.()
  }

  /** The decision, or `pending` when the request has waited long enough. @throws what the engine throws */
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
        // Claimed: the approval is being used for this request.
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
   * Told by the approver: the answer is yes. Holds it until a request is there for it.
   *
   * @returns whether there is; false after `patienceMs`, or when `signal` aborts
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
