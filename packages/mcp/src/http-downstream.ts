// The client's side over HTTP: the SDK's transport for one session, with the pace of its connections and their ends.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js'
import { isJSONRPCRequest, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js'
import { drained } from './drain.js'
import { RELEASED_MAX } from './limits.js'
import type { GuardTransport } from './peer.js'

export interface HttpDownstreamOptions {
  readonly newSessionId: () => string
  readonly onSession: (sessionId: string) => void
  /** The connection that waits for this request's answer is lost. */
  readonly onLost: (id: RequestId) => void
}

export class HttpDownstream implements GuardTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  readonly #transport: StreamableHTTPServerTransport
  readonly #onLost: (id: RequestId) => void
  readonly #responses = new Set<ServerResponse>()
  readonly #open = new Set<RequestId>()
  #released = 0

  constructor({ newSessionId, onSession, onLost }: HttpDownstreamOptions) {
    this.#onLost = onLost
    this.#transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: newSessionId,
      onsessioninitialized: onSession,
    })
  }

  async start(): Promise<void> {
    this.#transport.onmessage = (message) => this.onmessage?.(message)
    this.#transport.onerror = (error) => this.onerror?.(error)
    this.#transport.onclose = () => this.onclose?.()
    await this.#transport.start()
  }

  get sessionId(): string | undefined {
    return this.#transport.sessionId
  }

  /** Whether a connection of the client is open. */
  get isConnected(): boolean {
    return this.#responses.size > 0
  }

  /** Whether a request with this id waits for its answer: another one would take it away. */
  isOpen(id: RequestId): boolean {
    return this.#open.has(id)
  }

  /** @param message - what was read of the body, strictly; undefined for requests without one */
  async handle(request: IncomingMessage, response: ServerResponse, message: JSONRPCMessage | undefined): Promise<void> {
    this.#responses.add(response)
    const id = message !== undefined && isJSONRPCRequest(message) ? message.id : undefined
    if (id !== undefined) this.#open.add(id)
    response.once('close', () => {
      this.#responses.delete(response)
      if (id !== undefined && this.#open.delete(id)) this.#onLost(id)
    })
    await this.#transport.handleRequest(request, response, message)
  }

  /** Resolves when every connection of the client takes more: what one does not read is not piled up for it. */
  async send(message: JSONRPCMessage, { relatedRequestId }: TransportSendOptions = {}): Promise<void> {
    if (!('method' in message) && message.id !== undefined) this.#open.delete(message.id)
    // What belongs to a request that has its answer has no stream of its own any more, and goes with the session's.
    const isOpen = relatedRequestId !== undefined && this.#open.has(relatedRequestId)
    await this.#transport.send(message, isOpen ? { relatedRequestId } : {})
    const full = [...this.#responses].filter((response) => response.writableNeedDrain)
    await Promise.all(full.map(drained))
  }

  /** The client has cancelled it, and gets no answer; its stream would stay open otherwise. */
  release(id: RequestId): void {
    this.#open.delete(id)
    this.#transport.closeSSEStream(id)
    this.#released += 1
    if (this.#released > RELEASED_MAX) void this.close()
  }

  async close(): Promise<void> {
    await this.#transport.close()
  }
}
