/**
 * Serves the guard over streamable HTTP (MCP 2025-11-25, Transports). Every client session has its own upstream: a
 * child process, or a session with an HTTP server.
 *
 *   headers checked → body read, with a size limit → parsed strictly → the session with this id, or a new session
 *
 *   http-check.ts        `Host`, `Origin` and token
 *   http-connections.ts  connections without a token
 *   http-sessions.ts     the sessions, by `Mcp-Session-Id`
 *   http.ts              one session: POST, GET, DELETE
 *   http-answer.ts       one response: JSON or an event stream
 *   stdio.ts             the same for a client over standard input and output
 *
 *   const { url } = await serveGuard({ guard, upstream: () => new ChildUpstream(server), token, port: 8765 })
 *   POST http://127.0.0.1:8765/mcp   Authorization: Bearer …   {"method":"initialize",…}   → Mcp-Session-Id: …
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GuardError } from '../error.js'
import {
  CONNECTIONS_MAX,
  HTTP_CLOSE_GRACE_MS,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_SILENCE_MS,
} from '../limits.js'
import { checkHeaders, isAnyAddress, isLoopback, rulesFor } from './http-check.js'
import { UnprovenConnections } from './http-connections.js'
import { refuse } from './http-refusal.js'
import { HttpSessions, PATH, type SessionOptions } from './http-sessions.js'

export interface ServeOptions extends SessionOptions {
  /** The required bearer token; null for none, which is allowed only on a loopback address. */
  readonly token: string | null
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: a free port. */
  readonly port?: number
  /** Additional allowed values of `Host`: `guard.example`, `guard.example:8443`. */
  readonly allowHosts?: readonly string[]
  /** Allowed origins of web pages. */
  readonly allowOrigins?: readonly string[]
}

export interface GuardServer {
  /** The URL for clients, including `/mcp`. */
  readonly url: string
  /** Stops the server. `Guard.close` ends the sessions. */
  close(): Promise<void>
}

/** Interval of the check for slow requests (by Node) and idle sessions, in milliseconds. */
const CHECK_INTERVAL_MS = 500

/**
 * @throws (as a rejection) TypeError without a token on a non-loopback address; GuardError LISTEN_FAILED if the
 *   address is unavailable
 */
export async function serveGuard(options: ServeOptions): Promise<GuardServer> {
  const { host = '127.0.0.1', port = 0, token } = options
  if (token === null && !isLoopback(host)) throw new TypeError('`token` is required on a non-loopback address')
  if (token !== null && token.length < TOKEN_LENGTH_MIN)
    throw new TypeError(`\`token\` must have at least ${TOKEN_LENGTH_MIN} characters`)
  const server = createServer({
    headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
    requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  })
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(HTTP_SILENCE_MS)
  const unproven = new UnprovenConnections()
  server.on('connection', (socket) => unproven.add(socket))
  await listen(server, host, port)
  const { port: taken } = server.address() as AddressInfo
  const { allowHosts = [], allowOrigins = [] } = options
  if (isAnyAddress(host) && allowHosts.length === 0)
    options.logger?.(
      `listening on ${host}, which is not a host name: all requests are refused until a host name is allowed with --allow-host`,
    )
  const rules = rulesFor(host, taken, { more: allowHosts, origins: allowOrigins, token })
  const sessions = new HttpSessions(options)
  server.on('request', (request, response) => {
    const refusal = checkHeaders(request.headers, rules)
    if (refusal !== null) return refuse(response, refusal.status, -32_000, refusal.message)
    unproven.prove(request.socket)
    void sessions.take(request, response)
  })
  const sweep = setInterval(() => sessions.sweep(), CHECK_INTERVAL_MS).unref()
  const close = async (): Promise<void> => {
    clearInterval(sweep)
    await closeServer(server)
  }
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}${PATH}`, close }
}

/** Rejects made-up tokens: 128 random bits are 22 characters in base64. */
const TOKEN_LENGTH_MIN = 16

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new GuardError('LISTEN_FAILED', `cannot listen on \`${host}:${port}\`: ${cause.message}`, { cause })),
    )
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
