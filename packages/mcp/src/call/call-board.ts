// The calls of one session, by key, whose decision the client has not received yet.
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

  /** Number of calls that wait for an approver. */
  get openApprovals(): number {
    return [...this.#posted].filter(({ call, kept }) => call.isAsked && !kept).length
  }

  /** Attaches a repeated request to its pending call, once. @returns null if there is none */
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
   * @returns a function to call after the decision. A denial without an attached request is kept for a while, so
   *   that a repeated call receives it instead of asking the approver again
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
