// Connects to a server over HTTP. Wraps the SDK's client transport to limit the size of responses and to detect
// responses that end without an answer.
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ErrorCode, isJSONRPCRequest, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js'
import { GuardError } from '../error.js'
import { HTTP_CLOSE_GRACE_MS } from '../limits.js'
import { stringifyExact } from '../wire/exact-json.js'
import type { GuardTransport } from '../wire/peer.js'
import { boundedResponse } from './bounded-response.js'
import { protectNumbers, restoreNumbers, restoreText } from './number-placeholder.js'
import { protectedResponse } from './protected-response.js'

export interface HttpUpstreamOptions {
  readonly url: URL
  /** The token that the guard sends to the server. The client's token is never forwarded. */
  readonly token?: string | undefined
  readonly fetch?: FetchLike
}

export class HttpUpstream implements GuardTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /**
   * `send` resolves when the server starts its response, so the time that `send` takes does not show how fast the
   * server reads.
   */
  readonly paceless = true
  readonly #transport: StreamableHTTPClientTransport
  readonly #unanswered = new Set<RequestId>()
  #closed = false

  constructor({ url, token, fetch: plain = fetch }: HttpUpstreamOptions) {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    this.#transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers },
      fetch: async (target, init) => {
        const sent = typeof init?.body === 'string' ? { ...init, body: restoreText(init.body) } : init
        const response = boundedResponse(await plain(target, sent), this.#endOf(init))
        return protectedResponse(response, (why) => this.onerror?.(new Error(why)))
      },
    })
  }

  async start(): Promise<void> {
    this.#transport.onmessage = (message) => {
      if (!('method' in message) && message.id !== undefined) this.#unanswered.delete(message.id)
      this.onmessage?.(restoreNumbers(message))
    }
    this.#transport.onerror = (error) => this.onerror?.(error)
    await this.#transport.start()
  }

  setProtocolVersion(version: string): void {
    this.#transport.setProtocolVersion(version)
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new GuardError('SERVER_ENDED', 'the session with the server is closed')
    const id = isJSONRPCRequest(message) ? message.id : undefined
    if (id !== undefined) this.#unanswered.add(id)
    try {
      // The SDK cannot write exact numbers. `fetch` above restores them from their placeholders.
      await this.#transport.send(JSON.parse(protectNumbers(stringifyExact(message))))
    } catch (error) {
      if (id !== undefined) this.#unanswered.delete(id)
      throw error
    }
  }

  /** Ends the session with the server. The wait for the server's response is limited. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, HTTP_CLOSE_GRACE_MS)
    })
    await Promise.race([this.#transport.terminateSession().catch(() => {}), late])
    clearTimeout(timer)
    await this.#transport.close().catch(() => {})
    this.onclose?.()
  }

  /** Handles the end of a response body: a request that is still unanswered receives an error. */
  #endOf(init: RequestInit | undefined): (resumable: boolean) => void {
    const id = typeof init?.body === 'string' ? (JSON.parse(init.body) as { id?: RequestId }).id : undefined
    return (resumable) => {
      if (id === undefined || resumable) return
      // The SDK may still be parsing the last chunk.
      setTimeout(() => {
        if (!this.#unanswered.delete(id) || this.#closed) return
        const error = { code: ErrorCode.ConnectionClosed, message: 'the server ended its response without a result' }
        this.onmessage?.({ jsonrpc: '2.0', id, error })
      }, END_DELAY_MS)
    }
  }
}

const END_DELAY_MS = 50
