/**
 * A guarded call from its arrival to its decision. The call may outlive the request that started it.
 *
 * The engine's `authorize` returns one promise with one request id and one decision hash. After the hold time, the
 * client receives "pending", and the promise stays open. A repeated call attaches to the open promise. At most one
 * request waits at any time, and an approval is used for that request or not at all:
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

/** The subject of the decision. If the call is allowed, the guard sends exactly this subject. */
export interface CallSubject {
  /** The parameters of the first `tools/call`. */
  readonly params: Params
  readonly args: CallArguments
  /** Digest of the tool definition when the call arrived. */
  readonly definition: string | null
}

export interface WaitOptions {
  /** How long the request waits for an approver, in milliseconds. */
  readonly holdMs: number
  /** Called repeatedly while the request waits. */
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

  /** Aborts when the wait for an approval must end. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** True if no request is waiting and the call is not claimed. A repeated call may then attach. */
  get isDetached(): boolean {
    return !this.#attached && !this.#claimed
  }

  /** True after an approver was asked. */
  get isAsked(): boolean {
    return this.#asked
  }

  /** @param settled - resolves with the engine's decision */
  begin(settled: Promise<Settled>): void {
    this.#settled = settled
    // A waiting request receives the rejection. If no request is waiting, this handler prevents an unhandled
    // rejection, which would end the process.
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

  /** Called by the approver when the decision starts to depend on a person. */
  markAsked(): void {
    this.#asked = true
    this.#onAsked?.()
  }

  /** Resolves with the decision, or with `pending` after the hold time. @throws any error that the engine throws */
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
        // After the call is claimed, the approval is used for this request, so the request cannot leave.
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
   * Waits until a request is attached. The approver calls this after an approval.
   *
   * @returns false if no request attached within `patienceMs` or before `signal` aborted
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
