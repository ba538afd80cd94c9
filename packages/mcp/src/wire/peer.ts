/**
 * One side of the guard: requests and notifications in both directions over an SDK transport.
 *
 * The SDK's own `Client` and `Server` are made for ends, not for a middle: they answer what they should pass on, rewrite progress tokens,
 * overlook the cancellation of request 0, and hold on to whatever comes. Here each side has ids of its own, so an answer counts once, only
 * for a request that is open, and only from the side that was asked.
 */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ErrorCode, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js'
import { REQUESTS_MAX } from '../limits.js'
import type { RefusedMessage } from './message.js'
import type { MessageId } from './message-id.js'
import { RpcError } from './rpc-error.js'

export type Params = Readonly<Record<string, unknown>>

/** A request that this side has sent us. */
export interface Incoming {
  readonly id: MessageId
  readonly method: string
  readonly params: Params | undefined
  /** Aborted when this side cancels it, or is gone. */
  readonly signal: AbortSignal
}

export interface PeerHandlers {
  /** @throws (as a rejection) RpcError: what the sender is told; anything else is an internal error without details */
  request(request: Incoming): Promise<object>
  notification(method: string, params: Params | undefined): void
  /** Something was refused or ignored; says what, in one line. */
  note(text: string): void
  closed(): void
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** The request of this side that it belongs to. */
  readonly relatedTo?: MessageId | undefined
}

/** The request was given up by us: cancelled, or too late. The other side has been told. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

/** The other side is gone, or never took the request. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone'

  /** @param sent - whether the request may have reached it */
  constructor(
    message: string,
    readonly sent: boolean,
  ) {
    super(message)
  }
}

/** A transport that can be told to read no more for a while, and that a request is over without an answer. */
export interface GuardTransport extends Transport {
  pause?(): void
  resume?(): void
  release?(id: MessageId): void
  /** Set by the guard. Told of a message that was refused under the id in its text; the transport answers no such request itself. */
  onrefused?: (refused: RefusedMessage) => void
  /** `send` resolves when the message was taken, not when there is room for more: it says nothing about the pace of the other side. */
  readonly paceless?: boolean
}

/** Reason of the signal of a request whose sender is gone. */
export const GONE = 'the client went away'

/** Messages on their way out before the other side is asked to stop talking. Each may be as large as messages are. */
const SENDS_MAX = 16

/** A message with an id of either side. */
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
  /** What to hold back while this side does not read. */
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

  /** The request of this side that came last and is still open. */
  get latestIncoming(): MessageId | undefined {
    return [...this.#incoming.keys()].at(-1)
  }

  setProtocolVersion(version: string): void {
    this.#transport.setProtocolVersion?.(version)
  }

  /**
   * Asks this side.
   *
   * @throws (as a rejection) RpcError when it answers with an error; GivenUp after `timeoutMs` or when `signal` aborts, and this side is
   * told so; PeerGone when it is not there any more
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

  /** This side wants request `id` no more. */
  cancelIncoming(id: MessageId | undefined, reason: string): void {
    if (id !== undefined) this.#incoming.get(id)?.abort(reason)
  }

  /** By its members: the transport has checked it, and the SDK's own guards know no bigint as id. */
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

  /** A refused request is answered with the error; a refused answer ends what waits for it. */
  #refused({ id, kind, error }: RefusedMessage): void {
    if (id === null) return
    if (kind === 'response') this.#settle(id, { error: new GivenUp(`the answer was refused: ${error.message}`) })
    else if (this.#incoming.has(id))
      this.#handlers.note('a refused message has the id of an open request: it was not answered')
    else this.#send({ jsonrpc: '2.0', id, error: errorOf(error) })
  }

  async #answer({ id, method, params }: { id: MessageId; method: string; params?: Params | undefined }): Promise<void> {
    if (this.#incoming.has(id)) {
      // Not answered: the answer would be taken for that of the first one.
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
    // The SDK's types have no bigint. The guard's own transports write one; others get none unless a stranger sent it.
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
  if (!(error instanceof RpcError)) return { code: ErrorCode.InternalError, message: 'internal error of the guard' }
  const { code, message, data, written } = error
  if (written !== null) return written
  return { code, message, ...(data === undefined ? {} : { data }) }
}
