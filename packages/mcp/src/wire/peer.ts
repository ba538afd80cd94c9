/**
 * Implements one side of the guard: sends and receives requests and notifications over an SDK transport.
 *
 * The SDK's `Client` and `Server` are made for endpoints, not for a proxy: they answer requests that a proxy must
 * forward, rewrite progress tokens, miss the cancellation of request 0, and buffer without limit. A Peer assigns
 * its own ids to outgoing requests. It accepts an answer only once, only for an open request, and only from the
 * side that received the request.
 *
 *   message.ts, message-id.ts    strict parsing; the id of a message that is refused
 *   exact-json.ts                numbers with their original spelling
 *   method.ts                    the forwarded methods
 *   line-reader.ts, drain.ts     size limits and back-pressure
 *   progress-routes.ts           progress tokens
 *
 * Format: JSON-RPC 2.0 (https://www.jsonrpc.org/specification), as used by MCP.
 *
 *   await peer.request('tools/list', {}, { timeoutMs: 30_000 })
 *   → {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}
 */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ErrorCode, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js'
import { REQUESTS_MAX } from '../limits.js'
import type { RefusedMessage } from './message.js'
import type { MessageId } from './message-id.js'
import { RpcError } from './rpc-error.js'

export type Params = Readonly<Record<string, unknown>>

/** A request from this side. */
export interface Incoming {
  readonly id: MessageId
  readonly method: string
  readonly params: Params | undefined
  /** Aborts if this side cancels the request or disconnects. */
  readonly signal: AbortSignal
}

export interface PeerHandlers {
  /** @throws (as a rejection) RpcError for the sender; any other error becomes an internal error without details */
  request(request: Incoming): Promise<object>
  notification(method: string, params: Params | undefined): void
  /** Receives one line for each message that was refused or ignored. */
  note(text: string): void
  closed(): void
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** The request from this side to which the outgoing message belongs. */
  readonly relatedTo?: MessageId | undefined
}

/** The guard gave up on the request, because the request was cancelled or timed out. The other side was notified. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

/** The other side disconnected, or the request could not be sent. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone'

  /** @param sent - true if the request may have reached the other side */
  constructor(
    message: string,
    readonly sent: boolean,
  ) {
    super(message)
  }
}

/** A transport with back-pressure. It can also end a request without an answer. */
export interface GuardTransport extends Transport {
  pause?(): void
  resume?(): void
  release?(id: MessageId): void
  /**
   * Set by the guard. Called for a refused message that has an id; the transport itself does not answer the
   * message.
   */
  onrefused?: (refused: RefusedMessage) => void
  /** True if `send` does not wait until the other side reads the message, and therefore provides no back-pressure. */
  readonly paceless?: boolean
}

/** Abort reason of a request whose sender disconnected. */
export const GONE = 'the client disconnected'

/** Maximum number of unsent messages before the other side is paused. Each message may have the maximum size. */
const SENDS_MAX = 16

/** An outgoing message. Its id was assigned by either side. */
type Outgoing = { readonly jsonrpc: '2.0'; readonly id?: MessageId } & (
  | { readonly method: string; readonly params?: Params }
  | { readonly result: object }
  | { readonly error: object }
)

interface Open {
  settle(answer: { readonly result: object } | { readonly error: Error }): void
}

export class Peer {
  readonly #transport: GuardTransport
  readonly #handlers: PeerHandlers
  readonly #incoming = new Map<MessageId, AbortController>()
  readonly #open = new Map<number, Open>()
  #lastId = 0
  #sends = 0
  #gone = false
  /** The transport of the other side. The transport is paused while this side does not read. */
  source: Pick<GuardTransport, 'pause' | 'resume'> | null = null

  constructor(transport: GuardTransport, handlers: PeerHandlers) {
    this.#transport = transport
    this.#handlers = handlers
    transport.onmessage = (message) => this.#take(message)
    transport.onclose = () => this.#lost()
    transport.onerror = (error) => handlers.note(error.message)
    transport.onrefused = (refused) => this.#refused(refused)
  }

  start(): Promise<void> {
    return this.#transport.start()
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  /** The latest open request from this side. */
  get latestIncoming(): MessageId | undefined {
    return [...this.#incoming.keys()].at(-1)
  }

  setProtocolVersion(version: string): void {
    this.#transport.setProtocolVersion?.(version)
  }

  /**
   * Sends a request to this side.
   *
   * @throws (as a rejection) RpcError if this side answers with an error; GivenUp after `timeoutMs` or when
   *   `signal` aborts, after notifying this side; PeerGone if this side disconnected
   */
  request(
    method: string,
    params: Params | undefined,
    { timeoutMs, signal, relatedTo }: RequestOptions,
  ): Promise<object> {
    if (this.#gone) return Promise.reject(new PeerGone('the other side disconnected', false))
    if (this.#open.size >= REQUESTS_MAX)
      return Promise.reject(
        new RpcError(ErrorCode.InternalError, 'too many requests are pending: the request was not sent'),
      )
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      const settle: Open['settle'] = (answer) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
        this.#open.delete(id)
        if ('result' in answer) resolve(answer.result)
        else reject(answer.error)
      }
      const giveUp = (reason: string): void => {
        if (method !== 'initialize') this.notify('notifications/cancelled', { requestId: id, reason }, relatedTo)
        settle({ error: new GivenUp(reason) })
      }
      const cancel = (): void => giveUp(reasonOf(signal))
      const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs} ms`), timeoutMs)
      this.#open.set(id, { settle })
      this.#send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }, relatedTo, (error) =>
        settle({ error: new PeerGone(`the request could not be sent: ${error.message}`, true) }),
      )
      if (signal?.aborted) cancel()
      else signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  notify(method: string, params: Params | undefined, relatedTo?: MessageId): void {
    this.#send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }, relatedTo)
  }

  /** This side cancelled its request `id`. */
  cancelIncoming(id: MessageId | undefined, reason: string): void {
    if (id !== undefined) this.#incoming.get(id)?.abort(reason)
  }

  /**
   * Dispatches a message by its members. The transport has validated the message. The SDK type guards are not used,
   * because they reject bigint ids.
   */
  #take(message: JSONRPCMessage): void {
    if ('method' in message) {
      if ('id' in message) void this.#answer(message)
      else this.#handlers.notification(message.method, message.params)
    } else if ('result' in message) this.#settle(message.id, { result: message.result })
    else {
      const { code, message: text, data } = message.error
      this.#settle(message.id, { error: new RpcError(code, text, data, message.error) })
    }
  }

  #settle(id: MessageId | undefined, answer: Parameters<Open['settle']>[0]): void {
    const open = typeof id === 'number' ? this.#open.get(id) : undefined
    if (open === undefined) this.#handlers.note('dropped an answer that does not belong to an open request')
    else open.settle(answer)
  }

  /** Answers a refused request with the error. A refused answer fails its pending request. */
  #refused({ id, kind, error }: RefusedMessage): void {
    if (id === null) return
    if (kind === 'response') this.#settle(id, { error: new GivenUp(`the answer was rejected: ${error.message}`) })
    else if (this.#incoming.has(id))
      this.#handlers.note('did not answer a refused message, because it has the id of an open request')
    else this.#send({ jsonrpc: '2.0', id, error: errorOf(error) })
  }

  async #answer({ id, method, params }: { id: MessageId; method: string; params?: Params | undefined }): Promise<void> {
    if (this.#incoming.has(id)) {
      // The second request is not answered: the client would take the answer for the answer to the first request.
      this.#handlers.note('dropped a request with the id of an open request')
      this.#transport.release?.(id)
      return
    }
    if (this.#incoming.size >= REQUESTS_MAX) {
      this.#send({
        jsonrpc: '2.0',
        id,
        error: { code: ErrorCode.InternalError, message: 'too many requests are pending' },
      })
      return
    }
    const controller = new AbortController()
    this.#incoming.set(id, controller)
    const answer = await this.#handlers.request({ id, method, params, signal: controller.signal }).then(
      (result) => ({ result: result as Record<string, unknown> }),
      (error: unknown) => ({ error: errorOf(error) }),
    )
    this.#incoming.delete(id)
    if (controller.signal.aborted) this.#transport.release?.(id)
    else this.#send({ jsonrpc: '2.0', id, ...answer })
  }

  #send(message: Outgoing, relatedTo?: MessageId, failed: (error: Error) => void = () => {}): void {
    if (this.#gone) return
    const counts = this.#transport.paceless !== true
    if (counts) this.#sends += 1
    if (this.#sends === SENDS_MAX) this.source?.pause?.()
    // The SDK types do not allow bigint ids. The guard's transports can write bigint ids; other transports receive a
    // bigint id only if the peer sent one.
    const options = relatedTo === undefined ? {} : { relatedRequestId: relatedTo as RequestId }
    void this.#transport
      .send(message as JSONRPCMessage, options)
      .catch((error: unknown) => failed(error instanceof Error ? error : new Error('unknown')))
      .finally(() => {
        if (!counts) return
        this.#sends -= 1
        if (this.#sends === SENDS_MAX - 1) this.source?.resume?.()
      })
  }

  #lost(): void {
    if (this.#gone) return
    this.#gone = true
    for (const { settle } of [...this.#open.values()])
      settle({ error: new PeerGone('the other side disconnected', true) })
    for (const controller of this.#incoming.values()) controller.abort(GONE)
    this.#handlers.closed()
  }
}

const reasonOf = (signal: AbortSignal | undefined): string =>
  typeof signal?.reason === 'string' ? signal.reason : 'cancelled'

function errorOf(error: unknown): object {
  if (!(error instanceof RpcError)) return { code: ErrorCode.InternalError, message: 'internal error in the guard' }
  const { code, message, data, written } = error
  if (written !== null) return written
  return { code, message, ...(data === undefined ? {} : { data }) }
}
