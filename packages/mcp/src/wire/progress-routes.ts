import { idAt } from './message.js'
import type { MessageId } from './message-id.js'
import type { Params } from './peer.js'

/** Whose progress a notification is about: only tokens of requests that are open pass. Their number is bounded by that of the requests. */
export class ProgressRoutes {
  /** A token that is a whole number beyond ±(2^53−1) is a bigint, like an id. */
  readonly #requests = new Map<MessageId, MessageId>()

  static tokenOf(params: Params | undefined): MessageId | null {
    const meta = params?._meta
    return typeof meta === 'object' && meta !== null ? (idAt(meta, 'progressToken') ?? null) : null
  }

  /** Lets progress through that is about request `id`, while `work` is under way. */
  async during<T>(params: Params | undefined, id: MessageId, work: () => Promise<T>): Promise<T> {
    const token = ProgressRoutes.tokenOf(params)
    if (token === null) return await work()
    this.#requests.set(token, id)
    try {
      return await work()
    } finally {
      if (this.#requests.get(token) === id) this.#requests.delete(token)
    }
  }

  pass(params: Params | undefined, send: (id: MessageId) => void): void {
    const token = idAt(params, 'progressToken')
    const id = token === undefined ? undefined : this.#requests.get(token)
    if (id !== undefined) send(id)
  }
}
