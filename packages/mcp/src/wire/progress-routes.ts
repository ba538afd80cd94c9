import { idAt } from './message.js'
import type { MessageId } from './message-id.js'
import type { Params } from './peer.js'

/**
 * Maps progress tokens to open requests, and drops notifications with other tokens. The limit on open requests also
 * limits the number of tokens.
 */
export class ProgressRoutes {
  /** Request ids by token; an integer token beyond ±(2^53−1) is a bigint, like an id. */
  readonly #requests = new Map<MessageId, MessageId>()

  static tokenOf(params: Params | undefined): MessageId | null {
    const meta = params?._meta
    return typeof meta === 'object' && meta !== null ? (idAt(meta, 'progressToken') ?? null) : null
  }

  /**
   * The progress of a request that waits for an approval, for the `count`th time; null if the client wants none.
   * Progress must increase, so this value is smaller than any progress value that the server sends later.
   */
  static waiting(params: Params | undefined, count: number): Params | null {
    const progressToken = ProgressRoutes.tokenOf(params)
    return progressToken === null ? null : { progressToken, progress: count * 1e-6, message: 'waiting for approval' }
  }

  /** Forwards progress notifications of request `id` while `work` runs. */
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
