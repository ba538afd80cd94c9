/**
 * Implements one session, in which the guard mediates between a client and a server.
 *
 *   client ── tools/call ──► definition → policy → budget → approval → decision recorded ──► server → outcome recorded
 *   client ◄── all methods in `method.ts` ──► server
 *
 * Both sides are untrusted: the guard translates ids and refuses unknown methods.
 *
 *   session.ts                         routes requests and notifications in both directions, and ends the session
 *   handshake.ts                       `initialize`: protocol version and capabilities
 *   approver.ts, client-approvals.ts   the first answer counts, from the client or the approval store
 *   forms.ts, elicitation.ts           the approval forms in the client
 *
 *   client {"id":1,"method":"tools/list"} → server {"id":7,"method":"tools/list"} → accepted tools → client {"id":1}
 *   client {"id":2,"method":"tasks/list"} → error -32601: not in `method.ts`
 */
import type { ApprovalRequest } from '@sudoagent/core'
import type { WaitingEngine } from '@sudoagent/core/boundary'
import type { ArgumentCheck } from '../call/argument-check.js'
import { CLIENT_GONE, SERVER_ENDED } from '../call/call-failure.js'
import type { PendingCalls } from '../call/pending-calls.js'
import { ToolCalls } from '../call/tool-call.js'
import { Waits } from '../call/waits.js'
import { CATALOGUE_TIMEOUT_MS, CLIENT_NAME_LENGTH_MAX, CLIENT_TIMEOUT_MS, CLOSE_GRACE_MS } from '../limits.js'
import { Catalogue } from '../tool/catalogue.js'
import { readServerDefinition } from '../tool/tool-definition.js'
import type { ToolPins } from '../tool/tool-pins.js'
import { idAt } from '../wire/message.js'
import type { MessageId } from '../wire/message-id.js'
import {
  CLIENT_NOTIFICATIONS,
  CLIENT_REQUESTS,
  type Feature,
  passes,
  SERVER_NOTIFICATIONS,
  SERVER_REQUESTS,
} from '../wire/method.js'
import { GivenUp, type GuardTransport, type Incoming, type Params, Peer, PeerGone } from '../wire/peer.js'
import { ProgressRoutes } from '../wire/progress-routes.js'
import { foreignVersion, unsupportedVersion } from '../wire/protocol-version.js'
import { RpcError } from '../wire/rpc-error.js'
import { ClientApprovals } from './client-approvals.js'
import { canElicit } from './elicitation.js'
import { checkAnswer, guardedOffer, versionOf, withholdWords } from './handshake.js'

export interface SessionParts {
  readonly server: string
  readonly engine: WaitingEngine
  /** The pending calls of all sessions. */
  readonly pending: PendingCalls
  readonly pins: ToolPins
  readonly blocked: ReadonlySet<Feature>
  /** Removes secrets from untrusted text. */
  readonly redact: (text: string) => string
  readonly elicitation: boolean
  /** Whether an answer through the client can approve this call. */
  readonly mayElicit: (request: ApprovalRequest) => boolean
  /** Whether the client gets the tool that waits for a decision. */
  readonly waitTool: boolean
  readonly newTools: boolean
  readonly hideTools: (action: string) => boolean
  readonly checkArguments: ArgumentCheck
  readonly omitNullArguments: boolean
  readonly holdMs: number
  readonly callTimeoutMs: number
  readonly generateId: () => string
  readonly note: (text: string) => void
}

export class GuardSession {
  readonly #parts: SessionParts
  readonly #client: Peer
  readonly #server: Peer
  readonly #catalogue: Catalogue
  readonly #calls: ToolCalls
  readonly #waits: Waits
  readonly #approvals: ClientApprovals
  /** Route each progress notification, in either direction, to the request that has the same progress token. */
  readonly #toClient = new ProgressRoutes()
  readonly #toServer = new ProgressRoutes()
  #clientName = ''
  #serverVersion: string | null = null
  #canElicit = false
  #phase: 'new' | 'greeting' | 'open' = 'new'
  #closing: Promise<void> | null = null
  #reportClosed: (reason: string) => void = () => {}
  /** Resolves with the reason why the session ended, after all calls are recorded and both sides are closed. */
  readonly closed: Promise<string>

  constructor(parts: SessionParts, client: GuardTransport, server: GuardTransport) {
    this.#parts = parts
    const { note } = parts
    this.closed = new Promise((resolve) => {
      this.#reportClosed = resolve
    })
    this.#client = new Peer(client, {
      request: (request) => this.#clientAsks(request),
      notification: (method, params) => this.#clientTells(method, params),
      note: (text) => note(`client: ${text}`),
      closed: () => void this.close(CLIENT_GONE),
    })
    this.#server = new Peer(server, {
      request: (request) => this.#serverAsks(request),
      notification: (method, params) => this.#serverTells(method, params),
      note: (text) => note(`server: ${text}`),
      closed: () => void this.close(SERVER_ENDED),
    })
    this.#client.source = server
    this.#server.source = client
    this.#catalogue = new Catalogue({
      server: parts.server,
      pins: parts.pins,
      newTools: parts.newTools,
      isHidden: (name) => parts.hideTools(`${parts.server}/${name}`),
      note,
      listTools: (cursor) =>
        this.#server.request('tools/list', cursor === undefined ? {} : { cursor }, { timeoutMs: CATALOGUE_TIMEOUT_MS }),
    })
    this.#approvals = new ClientApprovals({
      client: this.#client,
      mayElicit: (asked) => parts.elicitation && this.#canElicit && parts.mayElicit(asked),
      clientName: () => this.#clientName,
      isFull: (asked) => this.#calls.isFull(asked),
      note,
    })
    this.#calls = this.#toolCalls()
    const { waitTool: isOn, ...rest } = parts
    this.#waits = new Waits({ ...rest, isOn, catalogue: this.#catalogue }, this.#calls)
  }

  /** @throws (as a rejection) if the server cannot be started */
  async start(): Promise<void> {
    await this.#server.start()
    await this.#client.start()
  }

  /** Called when the connection of a client request is lost. */
  detach(id: MessageId): void {
    this.#calls.detach(id)
  }

  /** Leaves open questions open, records running calls, and closes the server and then the client. */
  close(reason: string): Promise<void> {
    // The close is deferred, because closing a side makes that side report its end, and only the first reason is
    // used.
    this.#closing ??= Promise.resolve().then(() => this.#close(reason))
    return this.#closing
  }

  async #close(reason: string): Promise<void> {
    const recorded = this.#calls.close(reason)
    // Closing the server also ends its running calls.
    const ended = this.#server.close()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS)
    })
    await Promise.race([Promise.allSettled([recorded, ended]), late])
    clearTimeout(timer)
    await ended.catch(() => {})
    // The answers to open requests are sent during this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#client.close().catch(() => {})
    this.#reportClosed(reason)
  }

  async #clientAsks(request: Incoming): Promise<object> {
    const { method } = request
    if (method === 'initialize') return await this.#initialize(request)
    if (this.#phase !== 'open' && method !== 'ping') throw notInitialized(request)
    if (await this.#waits.isCalledBy(request)) return await this.#waits.handle(request)
    if (method === 'tools/call') return await this.#calls.handle(request)
    if (method === 'tools/list') return await this.#listTools(request)
    if (passes(CLIENT_REQUESTS, method, this.#parts.blocked)) return await this.#ask(request)
    throw RpcError.methodNotFound(method)
  }

  async #listTools(request: Incoming): Promise<object> {
    const cursor = request.params?.cursor
    const page = await this.#catalogue.page(cursor, () => this.#ask(request))
    return cursor === undefined ? await this.#waits.addTo(page) : page
  }

  #clientTells(method: string, params: Params | undefined): void {
    if (method === 'notifications/cancelled')
      this.#client.cancelIncoming(idAt(params, 'requestId'), words(params?.reason))
    else if (method === 'notifications/progress')
      this.#toServer.pass(params, (id) => this.#server.notify(method, params, id))
    else if (passes(CLIENT_NOTIFICATIONS, method, this.#parts.blocked)) this.#server.notify(method, params)
    else this.#parts.note('client: dropped a notification that the guard does not forward')
  }

  async #serverAsks({ id, method, params, signal }: Incoming): Promise<object> {
    if (!passes(SERVER_REQUESTS, method, this.#parts.blocked)) throw RpcError.methodNotFound(method)
    const relatedTo = this.#client.latestIncoming
    return await this.#toServer.during(params, id, () =>
      asRpcError(this.#client.request(method, params, { timeoutMs: CLIENT_TIMEOUT_MS, signal, relatedTo })),
    )
  }

  #serverTells(method: string, params: Params | undefined): void {
    if (method === 'notifications/cancelled') {
      this.#server.cancelIncoming(idAt(params, 'requestId'), words(params?.reason))
    } else if (method === 'notifications/progress') {
      this.#toClient.pass(params, (id) => this.#client.notify(method, params, id))
    } else if (passes(SERVER_NOTIFICATIONS, method, this.#parts.blocked)) {
      if (method === 'notifications/tools/list_changed') this.#catalogue.expire()
      const relatedTo = method === 'notifications/message' ? this.#client.latestIncoming : undefined
      this.#client.notify(method, params, relatedTo)
    } else this.#parts.note('server: dropped a notification that the guard does not forward')
  }

  async #initialize({ params = {}, signal }: Incoming): Promise<object> {
    if (this.#phase !== 'new') throw RpcError.invalidRequest('the session is already initialized')
    this.#phase = 'greeting'
    const { blocked, callTimeoutMs } = this.#parts
    const offer = guardedOffer(params, blocked)
    const answer = await asRpcError(this.#server.request('initialize', offer, { timeoutMs: callTimeoutMs, signal }))
    const result = this.#pinnedWords(checkAnswer(answer, blocked))
    this.#serverVersion = versionOf(answer)
    this.#server.setProtocolVersion(result.protocolVersion)
    this.#client.setProtocolVersion(result.protocolVersion)
    const { name } = (params.clientInfo ?? {}) as { name?: unknown }
    this.#clientName = typeof name === 'string' ? name.slice(0, CLIENT_NAME_LENGTH_MAX).toWellFormed() : ''
    this.#canElicit = canElicit(params.capabilities)
    this.#phase = 'open'
    return result
  }

  /** Keeps the server's instructions and name only if both match the accepted definition. */
  #pinnedWords<T extends object>(answer: T): T {
    const { server, pins, note } = this.#parts
    try {
      const words = readServerDefinition(answer)
      if (words !== null && pins.see(server, words) === 'accepted') return answer
    } catch (error) {
      note(
        `the server's instructions and name could not be checked: ${error instanceof Error ? error.message : 'unknown'}`,
      )
    }
    note('the server instructions or name differ from the accepted ones and were withheld from the client')
    return withholdWords(answer, server)
  }

  /** Forwards a client request unchanged. */
  async #ask({ id, method, params, signal }: Incoming): Promise<object> {
    const timeoutMs = this.#parts.callTimeoutMs
    return await this.#toClient.during(params, id, () =>
      asRpcError(this.#server.request(method, params, { timeoutMs, signal })),
    )
  }

  #toolCalls(): ToolCalls {
    const { server, engine, pending, holdMs, callTimeoutMs, generateId, note, redact } = this.#parts
    return new ToolCalls({
      server,
      engine,
      pending,
      holdMs,
      note,
      redact,
      generateId,
      catalogue: this.#catalogue,
      checkArguments: this.#parts.checkArguments,
      omitNullArguments: this.#parts.omitNullArguments,
      waitTool: () => this.#waits.name(),
      metadata: () => ({ server, client: this.#clientName, server_version: this.#serverVersion }),
      approver: ({ id }, onAsked) => this.#approvals.approverOf(id, onAsked),
      decided: (requestId) => this.#approvals.withdraw(requestId),
      forward: (params, { id, signal }) =>
        this.#toClient.during(params, id, () =>
          this.#server.request('tools/call', params, { timeoutMs: callTimeoutMs, signal }),
        ),
      progress: ({ id, params }, count) => {
        const progress = ProgressRoutes.waiting(params, count)
        if (progress !== null) this.#client.notify('notifications/progress', progress, id)
      },
    })
  }
}

function notInitialized(request: Incoming): RpcError {
  const version = foreignVersion(request)
  if (version !== null) return unsupportedVersion(version)
  return RpcError.invalidRequest('the session is not initialized: send `initialize` first')
}

const words = (reason: unknown): string => (typeof reason === 'string' ? reason.slice(0, 200) : 'cancelled')

/** Converts the failure of a request to one side into an error for the other side. */
async function asRpcError(answer: Promise<object>): Promise<object> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof GivenUp || error instanceof PeerGone) throw new RpcError(-32_603, error.message)
    throw error
  }
}
