/**
 * Implements one client session over streamable HTTP: its connections, their back-pressure and how they end.
 *
 *   POST a request       → its answer as JSON, or as the last event of a stream if other messages come first
 *   POST anything else   → 202
 *   GET                  → the stream of messages that do not belong to any request; one stream at a time
 *   DELETE               → ends the session
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js'
import { type JSONRPCMessage, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import type { RefusedMessage } from '../wire/message.js'
import type { MessageId } from '../wire/message-id.js'
import type { GuardTransport } from '../wire/peer.js'
import { unsupportedVersion } from '../wire/protocol-version.js'
import { HttpAnswer } from './http-answer.js'
import { refuse } from './http-refusal.js'

export interface HttpDownstreamOptions {
  readonly newSessionId: () => string
  readonly onSession: (sessionId: string) => void
  /** Called when the connection of a request is lost before the response is sent. */
  readonly onLost: (id: MessageId) => void
}

export class HttpDownstream implements GuardTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  onrefused?: (refused: RefusedMessage) => void
  readonly #options: HttpDownstreamOptions
  readonly #responses = new Set<ServerResponse>()
  /** Unanswered requests. */
  readonly #answers = new Map<MessageId, HttpAnswer>()
  /** The stream for messages that do not belong to any request. */
  #standalone: HttpAnswer | null = null
  #sessionId: string | undefined
  #closed = false

  constructor(options: HttpDownstreamOptions) {
    this.#options = options
  }

  async start(): Promise<void> {}

  get sessionId(): string | undefined {
    return this.#sessionId
  }

  /** Whether the client has an open connection. */
  get isConnected(): boolean {
    return this.#responses.size > 0
  }

  /**
   * Whether a request with this id is unanswered. A second request with the same id would receive the answer to the
   * first.
   */
  isOpen(id: MessageId): boolean {
    return this.#answers.has(id)
  }

  /** @param message - the parsed body; undefined for a request without a body */
  handle(request: IncomingMessage, response: ServerResponse, message: JSONRPCMessage | undefined) {
    this.#responses.add(response)
    response.once('close', () => this.#responses.delete(response))
    if (this.#closed) return refuse(response, 404, -32_001, 'the session is closed')
    if (message !== undefined) this.#post(request, response, message)
    else if (request.method === 'GET') this.#listen(request, response)
    else if (request.method === 'DELETE') this.#delete(request, response)
    else {
      response.setHeader('Allow', 'GET, POST, DELETE')
      refuse(response, 405, -32_000, 'only GET, POST and DELETE are supported')
    }
  }

  /**
   * Resolves when every connection of the client can accept more data, so that messages do not accumulate for a
   * client that stops reading.
   */
  async send(message: JSONRPCMessage, { relatedRequestId }: TransportSendOptions = {}): Promise<void> {
    const text = stringifyExact(message)
    if ('method' in message) {
      // A request that was already answered has no stream, so a message that belongs to this request goes to the
      // session stream.
      const answer = relatedRequestId === undefined ? undefined : this.#answers.get(relatedRequestId)
      const stream = answer ?? this.#standalone
      stream?.message(text)
    } else if (message.id !== undefined) {
      const answer = this.#answers.get(message.id)
      this.#answers.delete(message.id)
      answer?.end(text)
    }
    const full = [...this.#responses].filter((response) => response.writableNeedDrain)
    await Promise.all(full.map(drained))
  }

  /** Ends the response to a cancelled request, which receives no answer. */
  release(id: MessageId): void {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    answer?.abandon()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const answer of this.#answers.values()) answer.abandon()
    this.#answers.clear()
    this.#standalone?.abandon()
    this.onclose?.()
  }

  #post(request: IncomingMessage, response: ServerResponse, message: JSONRPCMessage) {
    const { accept = '', 'content-type': type = '' } = request.headers
    const id = 'method' in message && 'id' in message ? message.id : null
    if (!accept.includes('application/json') || !accept.includes('text/event-stream'))
      return refuse(response, 406, -32_000, '`Accept` must include application/json and text/event-stream', id)
    if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json')
      return refuse(response, 415, -32_000, '`Content-Type` must be application/json', id)
    if (this.#sessionId === undefined) {
      this.#sessionId = this.#options.newSessionId()
      this.#options.onSession(this.#sessionId)
    } else if (this.#refusesVersion(request, response, id)) return
    if (id === null) {
      this.onmessage?.(message)
      response.writeHead(202).end()
      return
    }
    this.#answers.set(id, new HttpAnswer(response, this.#headers()))
    response.once('close', () => {
      if (this.#answers.delete(id)) this.#options.onLost(id)
    })
    this.onmessage?.(message)
  }

  #listen(request: IncomingMessage, response: ServerResponse) {
    if (!(request.headers.accept ?? '').includes('text/event-stream'))
      return refuse(response, 406, -32_000, '`Accept` must include text/event-stream')
    if (this.#refusesVersion(request, response, null)) return
    if (this.#standalone !== null) return refuse(response, 409, -32_000, 'this session already has an open stream')
    const stream = new HttpAnswer(response, this.#headers(), true)
    this.#standalone = stream
    response.once('close', () => {
      this.#standalone = null
    })
  }

  #delete(request: IncomingMessage, response: ServerResponse): void {
    if (this.#refusesVersion(request, response, null)) return
    response.writeHead(200).end()
    void this.close()
  }

  #refusesVersion({ headers }: IncomingMessage, response: ServerResponse, id: MessageId | null): boolean {
    const version = headers['mcp-protocol-version']
    if (version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) return false
    const { code, message, data } = unsupportedVersion(String(version))
    refuse(response, 400, code, message, id, data)
    return true
  }

  #headers(): Readonly<Record<string, string>> {
    return this.#sessionId === undefined ? {} : { 'mcp-session-id': this.#sessionId }
  }
}
