// Manages the HTTP sessions and routes requests to them.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import type { Guard } from '../guard.js'
import { CLIENT_MESSAGE_BYTES_MAX, SESSION_IDLE_MS, SESSIONS_MAX } from '../limits.js'
import type { GuardSession } from '../session/session.js'
import { parseMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import type { GuardTransport } from '../wire/peer.js'
import { foreignVersion, unsupportedVersion } from '../wire/protocol-version.js'
import { RpcError } from '../wire/rpc-error.js'
import { HttpDownstream } from './http.js'
import { readBody } from './http-body.js'
import { refuse } from './http-refusal.js'

export interface SessionOptions {
  readonly guard: Guard
  /** Creates the upstream of a new session. */
  readonly upstream: () => GuardTransport
  /**
   * Maximum number of sessions. When the maximum is reached, a new session replaces the session that has been idle
   * longest. Default: 32.
   */
  readonly maxSessions?: number
  /** Lifetime of a session without requests and streams, in milliseconds. Default: 30 minutes. */
  readonly sessionIdleMs?: number
  readonly logger?: (text: string) => void
}

interface Session {
  readonly downstream: HttpDownstream
  readonly session: GuardSession
  usedAtMs: number
}

export const PATH = '/mcp'

/** Sessions by id. Only the client that opened a session knows the session id. */
export class HttpSessions {
  readonly #options: SessionOptions
  readonly #sessions = new Map<string, Session>()
  #opening = 0

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Handles a request whose headers were accepted. */
  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = new URL(request.url ?? '', 'http://guard').pathname
      if (path !== PATH) return refuse(response, 404, -32_000, `clients connect to ${PATH}`)
      const sessionId = request.headers['mcp-session-id']
      const known = typeof sessionId === 'string' ? this.#sessions.get(sessionId) : undefined
      const message = request.method === 'POST' ? await this.#read(request, response, known) : undefined
      if (message === null) return
      const asked = message !== undefined && isRequest(message) ? message : null
      const id = asked?.id ?? null
      if (sessionId === undefined && asked?.method === 'initialize') return await this.#open(request, response, asked)
      if (known === undefined) return replyWithoutSession(request, response, asked)
      if (id !== null && known.downstream.isOpen(id))
        return refuse(response, 400, -32_600, 'a request with this id is already pending')
      this.#use(known, response)
      known.downstream.handle(request, response, message)
    } catch (error) {
      if (request.destroyed) return
      this.#note(`a request failed: ${error instanceof Error ? error.message : 'unknown'}`)
      refuse(response, 500, -32_603, 'internal error in the guard')
    }
  }

  /** Ends idle sessions. */
  sweep(): void {
    const { sessionIdleMs = SESSION_IDLE_MS } = this.#options
    for (const [id, { downstream, session, usedAtMs }] of this.#sessions) {
      if (downstream.isConnected || Date.now() - usedAtMs <= sessionIdleMs) continue
      this.#sessions.delete(id)
      void session.close('the session was idle')
    }
  }

  /** @returns the message in the body; null if the message was refused */
  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    known: Session | undefined,
  ): Promise<JSONRPCMessage | null> {
    const body = await readBody(request)
    if (!(body instanceof Uint8Array)) {
      const error = RpcError.tooLong(CLIENT_MESSAGE_BYTES_MAX)
      this.#refuse(response, 413, { ...body, error }, known)
      return null
    }
    try {
      return parseMessage(body)
    } catch (error) {
      this.#refuse(response, 400, refusedMessage(body, error), known)
      return null
    }
  }

  #refuse(response: ServerResponse, status: number, refused: RefusedMessage, known: Session | undefined): void {
    const { id, kind, error } = refused
    if (kind === 'response') known?.downstream.onrefused?.(refused)
    // The error must not have the id of an open request; otherwise, the client would mistake the error for the answer
    // to that request.
    const isOwn = kind === 'request' && id !== null && known?.downstream.isOpen(id) !== true
    refuse(response, status, error.code, error.message, isOwn ? id : null)
  }

  async #open(request: IncomingMessage, response: ServerResponse, message: JSONRPCMessage): Promise<void> {
    const { guard, upstream } = this.#options
    this.#opening += 1
    try {
      if (!(await this.#makeRoom())) return refuse(response, 503, -32_000, 'too many sessions are open')
      const downstream = new HttpDownstream({
        newSessionId: randomUUID,
        onSession: (sessionId) => {
          const known = { downstream, session, usedAtMs: Date.now() }
          this.#sessions.set(sessionId, known)
          this.#use(known, response)
          void session.closed.then(() => this.#sessions.delete(sessionId))
        },
        onLost: (id) => session.detach(id),
      })
      const session = await guard.open(downstream, upstream())
      downstream.handle(request, response, message)
      // If there is no session id, the transport refused the request, and the client does not know this session.
      if (downstream.sessionId === undefined) await session.close('the session was not established')
    } catch (error) {
      this.#note(`a session could not be opened: ${error instanceof Error ? error.message : 'unknown'}`)
      refuse(response, 502, -32_000, 'the server could not be started')
    } finally {
      this.#opening -= 1
    }
  }

  /**
   * If there are too many sessions, ends the session that has been idle longest, because a crashed client leaves its
   * session open.
   */
  async #makeRoom(): Promise<boolean> {
    const { maxSessions = SESSIONS_MAX } = this.#options
    if (this.#sessions.size + this.#opening <= maxSessions) return true
    const idle = [...this.#sessions].filter(([, { downstream }]) => !downstream.isConnected)
    const [oldest] = idle.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs)
    if (oldest === undefined) return false
    const [id, { session }] = oldest
    this.#sessions.delete(id)
    this.#note('ended the session that had been idle longest, to make room for a new client')
    await session.close('the session was idle')
    return true
  }

  /** Marks the session as used until the end of this response. */
  #use(known: Session, response: ServerResponse): void {
    known.usedAtMs = Date.now()
    response.once('close', () => {
      known.usedAtMs = Date.now()
    })
  }

  #note(text: string): void {
    this.#options.logger?.(text)
  }
}

type Request = Extract<JSONRPCMessage, { method: string; id: unknown }>

const isRequest = (message: JSONRPCMessage): message is Request => 'method' in message && 'id' in message

function replyWithoutSession({ headers }: IncomingMessage, response: ServerResponse, asked: Request | null) {
  const id = asked?.id ?? null
  if (headers['mcp-session-id'] !== undefined) return refuse(response, 404, -32_001, 'the session does not exist', id)
  const header = headers['mcp-protocol-version']
  const version = asked === null ? null : foreignVersion(asked, header?.toString())
  if (version === null) return refuse(response, 400, -32_000, 'start a session with `initialize`', id)
  const { code, message: text, data } = unsupportedVersion(version)
  refuse(response, 400, code, text, id, data)
}
