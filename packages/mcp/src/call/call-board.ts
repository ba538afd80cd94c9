// The calls of one session whose client has not heard the decision yet, by what they ask for.
import type { CallCancelled } from '@sudoagent/core'
import { ANSWERS_KEPT_MAX, ANSWERS_KEPT_MS } from '../limits.js'
import type { OpenCall } from './open-call.js'

interface Posted {
  readonly key: string | null
  readonly call: OpenCall
  /** Decided, and nobody was there to hear it. */
  kept: boolean
}

export class PendingCalls {
  readonly #posted = new Set<Posted>()

  /** How many wait for an approver. */
  get openApprovals(): number {
    return [...this.#posted].filter(({ call, kept }) => call.isAsked && !kept).length
  }

  /** The call that the same call is to attach to, once; null when none waits to be picked up. */
  attach(key: string | null): OpenCall | null {
    if (key === null) return null
    const posted = [...this.#posted].find((candidate) => candidate.key === key && candidate.call.isDetached)
    if (posted === undefined) return null
    posted.call.attach()
    if (posted.kept) this.#posted.delete(posted)
    return posted.call
  }

  /**
   * Puts up a call that is not decided.
   *
   * @returns to be called when it is. A refusal that nobody was there to hear is kept for a while: the same call is to learn it, not to ask
   * the person again
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
