/**
 * The guard over streamable HTTP. Each session of a client has a server of its own behind it: a process, or a session at an HTTP server.
 *
 *     headers checked → body read, within bounds → parsed strictly → the session of its id, or a new one → the SDK's transport
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isInitializeRequest, isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import type { Guard } from './guard.js'
import { checkHeaders, isLoopback, rulesFor } from './http-check.js'
import { HttpDownstream } from './http-downstream.js'
import {
  CLIENT_MESSAGE_BYTES_MAX,
  CONNECTIONS_MAX,
  HTTP_CLOSE_GRACE_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_SILENCE_MS,
  SESSION_IDLE_MS,
  SESSIONS_MAX,
} from './limits.js'
import { parseMessage } from './message.js'
import type { GuardTransport } from './peer.js'
import { RpcError } from './rpc-error.js'
import type { GuardSession } from './session.js'

export interface ServeOptions {
  readonly guard: Guard
  /** A server for a new session. */
  readonly upstream: () => GuardTransport
  /** Who does not bring it is refused; null asks for none, which only the loopback may do. */
  readonly token: string | null
  /** 127.0.0.1 unless given. */
  readonly host?: string
  /** A free one unless given. */
  readonly port?: number
  /** Further values that `Host` may have: `guard.example`, `guard.example:8443`. */
  readonly allowHosts?: readonly string[]
  /** Origins of web pages that may speak to it. */
  readonly allowOrigins?: readonly string[]
  /** Sessions at once: 32. */
  readonly sessionsMax?: number
  /** How long a session without requests and streams lives, in milliseconds: 30 minutes. */
  readonly sessionIdleMs?: number
  readonly onNote?: (text: string) => void
}

export interface GuardServer {
  /** Where clients connect to, `/mcp` included. */
  readonly url: string
  /** Ends the server. The sessions are the guard's to end. */
  close(): Promise<void>
}

interface Session {
  readonly downstream: HttpDownstream
  readonly session: GuardSession
  usedAtMs: number
}

const PATH = '/mcp'

/** How often Node looks for requests that take too long, and we for sessions that nobody uses. */
const CHECK_INTERVAL_MS = 500

/** @throws (as a rejection) TypeError without a token off the loopback; the system's error when the address cannot be had */
export async function serveGuard(options: ServeOptions): Promise<GuardServer> {
  const { host = '127.0.0.1', port = 0, token } = options
  if (token === null && !isLoopback(host))
    throw new TypeError('a `token` is needed where others than this machine can connect')
  if (token !== null && token.length < TOKEN_LENGTH_MIN)
    throw new TypeError(`\`token\` must have at least ${TOKEN_LENGTH_MIN} characters`)
  const server = createServer({
    headersTimeout: HTTP_REQUEST_TIMEOUT_MS,
    requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  })
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(HTTP_SILENCE_MS)
  await listen(server, host, port)
  const { port: taken } = server.address() as AddressInfo
  const { allowHosts = [], allowOrigins = [] } = options
  const rules = rulesFor(host, taken, { more: allowHosts, origins: allowOrigins, token })
  const door = new Door(options)
  server.on('request', (request, response) => {
    const refusal = checkHeaders(request.headers, rules)
    if (refusal !== null) return refuse(response, refusal.status, -32_000, refusal.message)
    void door.take(request, response)
  })
  const sweep = setInterval(() => door.sweep(), CHECK_INTERVAL_MS).unref()
  const close = async (): Promise<void> => {
    clearInterval(sweep)
    await closeServer(server)
  }
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}${PATH}`, close }
}

/** What a person would make up is shorter; 128 bits in base64 are longer. */
const TOKEN_LENGTH_MIN = 16

/** The sessions, and the way to them. A session is found by its own id, which nobody else has been told. */
class Door {
  readonly #options: ServeOptions
  readonly #sessions = new Map<string, Session>()
  #opening = 0

  constructor(options: ServeOptions) {
    this.#options = options
  }

  /** A request whose headers were found in order. */
  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = new URL(request.url ?? '', 'http://guard').pathname
      if (path !== PATH) return refuse(response, 404, -32_000, `clients connect to ${PATH}`)
      const message = request.method === 'POST' ? parseMessage(await readBody(request)) : undefined
      const sessionId = request.headers['mcp-session-id']
      if (sessionId === undefined && message !== undefined && isInitializeRequest(message))
        return await this.#open(request, response, message)
      const known = typeof sessionId === 'string' ? this.#sessions.get(sessionId) : undefined
      if (known === undefined)
        return sessionId === undefined
          ? refuse(response, 400, -32_000, 'a session begins with `initialize`')
          : refuse(response, 404, -32_001, 'there is no such session')
      known.usedAtMs = Date.now()
      if (message !== undefined && isJSONRPCRequest(message) && known.downstream.isOpen(message.id))
        return refuse(response, 400, -32_600, 'a request with this id is open')
      await known.downstream.handle(request, response, message)
    } catch (error) {
      if (error instanceof BodyTooLarge) refuse(response, 413, -32_000, error.message)
      else if (error instanceof RpcError) refuse(response, 400, error.code, error.message)
      else if (!request.destroyed) {
        this.#note(`a request failed: ${error instanceof Error ? error.message : 'unknown'}`)
        refuse(response, 500, -32_603, 'internal error of the guard')
      }
    }
  }

  /** Ends the sessions that nobody uses any more. */
  sweep(): void {
    const { sessionIdleMs = SESSION_IDLE_MS } = this.#options
    for (const { downstream, session, usedAtMs } of this.#sessions.values()) {
      if (!downstream.isConnected && Date.now() - usedAtMs > sessionIdleMs) void session.close('the session was idle')
    }
  }

  async #open(request: IncomingMessage, response: ServerResponse, message: JSONRPCMessage): Promise<void> {
    const { guard, upstream, sessionsMax = SESSIONS_MAX } = this.#options
    if (this.#sessions.size + this.#opening >= sessionsMax)
      return refuse(response, 503, -32_000, 'too many sessions are open')
    this.#opening += 1
    try {
      const downstream = new HttpDownstream({
        newSessionId: randomUUID,
        onSession: (sessionId) => {
          this.#sessions.set(sessionId, { downstream, session, usedAtMs: Date.now() })
          void session.closed.then(() => this.#sessions.delete(sessionId))
        },
        onLost: (id) => session.detach(id),
      })
      const session = await guard.open(downstream, upstream())
      await downstream.handle(request, response, message)
      // Refused by the transport: nobody has been told of this session.
      if (downstream.sessionId === undefined) await session.close('the session did not begin')
    } catch (error) {
      this.#note(`a session could not be opened: ${error instanceof Error ? error.message : 'unknown'}`)
      refuse(response, 502, -32_000, 'the server cannot be started')
    } finally {
      this.#opening -= 1
    }
  }

  #note(text: string): void {
    this.#options.onNote?.(text)
  }
}

class BodyTooLarge extends Error {}

/** @throws BodyTooLarge: the rest of it is not read then */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLarge = new BodyTooLarge(`a message may have ${CLIENT_MESSAGE_BYTES_MAX} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > CLIENT_MESSAGE_BYTES_MAX) throw tooLarge
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > CLIENT_MESSAGE_BYTES_MAX) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  if (response.headersSent || response.destroyed) return
  const { req: request } = response
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  // A body that was not read would otherwise have to be, before the next request on the connection.
  if (!request.complete) response.setHeader('Connection', 'close')
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }))
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  server.removeAllListeners('error').on('error', () => {})
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), HTTP_CLOSE_GRACE_MS)
  await closed
  clearTimeout(timer)
}
