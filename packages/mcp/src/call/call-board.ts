// Stores, by key, the calls of one session for which the client has not received the decision yet.
import type { CallCancelled } from '@sudoagent/core'
import { ANSWERS_KEPT_MAX, ANSWERS_KEPT_MS } from '../limits.js'
import type { OpenCall } from './open-call.js'

interface Posted {
  readonly key: string | null
  readonly call: OpenCall
  /** The decision was made while no request was attached. */
  kept: boolean
}

export class PendingCalls {
  readonly #posted = new Set<Posted>()

  /** Number of calls that are waiting for an approver. */
  get openApprovals(): number {
    return [...this.#posted].filter(({ call, kept }) => call.isAsked && !kept).length
  }

  /** Attaches a repeated request to its pending call, at most once. @returns null if there is no pending call */
  attach(key: string | null): OpenCall | null {
    if (key === null) return null
    const posted = [...this.#posted].find((candidate) => candidate.key === key && candidate.call.isDetached)
    if (posted === undefined) return null
    posted.call.attach()
    if (posted.kept) this.#posted.delete(posted)
    return posted.call
  }

  /**
   * Adds an undecided call.
   *
   * @returns a function to call after the decision. If no request is attached, the denial is stored for a limited
   *   time: a repeated call then receives the denial, and the approver is not asked again
   */
  add(key: string | null, call: OpenCall): () => void {
    const posted: Posted = { key, call, kept: false }
    this.#posted.add(posted)
    return () => {
      if (!call.isDetached) {
        this.#posted.delete(posted)
        return
      }
      posted.kept = true
      setTimeout(() => this.#posted.delete(posted), ANSWERS_KEPT_MS).unref()
      const kept = [...this.#posted].filter((candidate) => candidate.kept)
      if (kept.length > ANSWERS_KEPT_MAX && kept[0] !== undefined) this.#posted.delete(kept[0])
    }
  }

  cancelAll(reason: CallCancelled): void {
    for (const { call } of this.#posted) call.cancel(reason)
  }
}
