import type { RequestId } from '@modelcontextprotocol/sdk/types.js'
import type { Params } from './peer.js'

type Token = string | number

/** Whose progress a notification is about: only tokens of requests that are open pass. Their number is bounded by that of the requests. */
export class ProgressRoutes {
  readonly #requests = new Map<Token, RequestId>()

  static tokenOf(params: Params | undefined): Token | null {
    const { progressToken } = (params?._meta ?? {}) as { progressToken?: unknown }
    return typeof progressToken === 'string' || typeof progressToken === 'number' ? progressToken : null
  }

  /** Lets progress through that is about request `id`, while `work` is under way. */
  async during<T>(params: Params | undefined, id: RequestId, work: () => Promise<T>): Promise<T> {
    const token = ProgressRoutes.tokenOf(params)
    if (token === null) return await work()
    this.#requests.set(token, id)
    try {
      return await work()
    } finally {
      if (this.#requests.get(token) === id) this.#requests.delete(token)
    }
  }

  pass(params: Params | undefined, send: (id: RequestId) => void): void {
    const id = this.#requests.get(params?.progressToken as Token)
    if (id !== undefined) send(id)
  }
}
