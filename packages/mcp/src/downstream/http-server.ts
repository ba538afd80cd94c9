/**
 * The guard over streamable HTTP. Each session of a client has a server of its own behind it: a process, or a session at an HTTP server.
 *
 *     headers checked → body read, within bounds → parsed strictly → the session of its id, or a new one
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
}

export interface GuardServer {
  /** Where clients connect to, `/mcp` included. */
  readonly url: string
  /** Ends the server. The sessions are the guard's to end. */
  close(): Promise<void>
}

/** How often Node looks for requests that take too long, and we for sessions that nobody uses. */
const CHECK_INTERVAL_MS = 500

/** @throws (as a rejection) TypeError without a token off the loopback; GuardError LISTEN_FAILED when the address cannot be had */
export async function serveGuard(options: ServeOptions): Promise<GuardServer> {
  const { host = '127.0.0.1', port = 0, token } = options
  if (token === null && !isLoopback(host))
    throw new TypeError('a `token` is needed where others than this machine can connect')
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
      `bound to ${host}, which is not a name that clients connect to: every client is refused until its name for this machine is allowed (--allow-host)`,
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

/** What a person would make up is shorter; 128 bits in base64 are longer. */
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
