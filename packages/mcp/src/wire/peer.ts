/**
 * One side of the guard: requests and notifications in both directions over an SDK transport.
 *
 * The `Client` and `Server` of the SDK are made for endpoints, not for a proxy: they answer requests that a proxy
 * must forward, rewrite progress tokens, miss the cancellation of request 0, and buffer without limit. A Peer
 * assigns its own ids to outgoing requests, so an answer counts once, only for an open request, and only from the
 * side that was asked.
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
  /** Aborted if this side cancels it or disconnects. */
  readonly signal: AbortSignal
}

export interface PeerHandlers {
  /** @throws (as a rejection) RpcError for the sender; any other error becomes an internal error without details */
  request(request: Incoming): Promise<object>
  notification(method: string, params: Params | undefined): void
  /** Receives one line about something that was refused or ignored. */
  note(text: string): void
  closed(): void
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** The request of this side that the message belongs to. */
  readonly relatedTo?: MessageId | undefined
}

/** The guard gave up the request: it was cancelled or timed out. The other side was notified. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

/** The other side has ended, or the request could not be sent. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone'

  /** @param sent - whether the request may have reached the other side */
  constructor(
    message: string,
    readonly sent: boolean,
  ) {
    super(message)
  }
}

/** A transport with back-pressure, which can also end a request without an answer. */
export interface GuardTransport extends Transport {
  pause?(): void
  resume?(): void
  release?(id: MessageId): void
  /**
   * Set by the guard. Called for a message that was refused but has an id; the transport does not answer such a
   * request itself.
   */
  onrefused?: (refused: RefusedMessage) => void
  /** True if `send` resolves when the message is accepted, which says nothing about the pace of the other side. */
  readonly paceless?: boolean
}

/** Reason of the signal of a request after its sender disconnected. */
export const GONE = 'the client disconnected'

/** Most unsent messages before the other side is paused. Each may have the maximum size. */
const SENDS_MAX = 16

/** An outgoing message, with an id of either side. */
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
  /** The other transport, which is paused while this side does not read. */
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

  /** The latest open request of this side. */
  get latestIncoming(): MessageId | undefined {
    return [...this.#incoming.keys()].at(-1)
  }

  setProtocolVersion(version: string): void {
    this.#transport.setProtocolVersion?.(version)
  }

  /**
   * Sends a request to this side.
   *
   * @throws (as a rejection) RpcError if it answers with an error; GivenUp after `timeoutMs` or when `signal`
   *   aborts, after notifying this side; PeerGone if it has ended
   */
  request(
    method: string,
    params: Params | undefined,
    { timeoutMs, signal, relatedTo }: RequestOptions,
  ): Promise<object> {
    if (this.#gone) return Promise.reject(new PeerGone('the other side is gone', false))
    if (this.#open.size >= REQUESTS_MAX)
      return Promise.reject(new RpcError(ErrorCode.InternalError, 'too many requests are open: it was not sent'))
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
   * Dispatches a message by its members: the transport has validated it, and the type guards of the SDK reject
   * bigint ids.
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
    if (open === undefined) this.#handlers.note('an answer to no open request was dropped')
    else open.settle(answer)
  }

  /** Answers a refused request with the error; a refused answer fails the request that waits for it. */
  #refused({ id, kind, error }: RefusedMessage): void {
    if (id === null) return
    if (kind === 'response') this.#settle(id, { error: new GivenUp(`the answer was refused: ${error.message}`) })
    else if (this.#incoming.has(id))
      this.#handlers.note('a refused message has the id of an open request: it was not answered')
    else this.#send({ jsonrpc: '2.0', id, error: errorOf(error) })
  }

  async #answer({ id, method, params }: { id: MessageId; method: string; params?: Params | undefined }): Promise<void> {
    if (this.#incoming.has(id)) {
      // Not answered: the client would take the answer for that of the first request.
      this.#handlers.note('a request with the id of an open one was dropped')
      this.#transport.release?.(id)
      return
    }
    if (this.#incoming.size >= REQUESTS_MAX) {
      this.#send({
        jsonrpc: '2.0',
        id,
        error: { code: ErrorCode.InternalError, message: 'too many requests are open' },
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
    // The types of the SDK have no bigint. The transports of the guard write one; other transports get one only if
    // a peer sent it.
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
    for (const { settle } of [...this.#open.values()]) settle({ error: new PeerGone('the other side has ended', true) })
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
