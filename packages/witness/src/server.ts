/**
 * Serves a witness over HTTP: only `POST /add-checkpoint`. By default, the server listens on the loopback address.
 * To serve other hosts, run it behind a TLS proxy.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SUBMISSION_BYTES_MAX } from './add-checkpoint.js'
import { WitnessError } from './error.js'
import type { Witness } from './witness.js'

const PATH = '/add-checkpoint'

/** Default time limit for a request of a few kilobytes, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000

/** Maximum size of the headers, in bytes: half of Node's own limit. */
const HEADER_BYTES_MAX = 8 * 1024

/** Maximum number of connections. If each connection sends the largest body, the bodies take 64 MiB. */
const CONNECTIONS_MAX = 256

/** How long `close` waits for requests in progress, in milliseconds. */
const CLOSE_GRACE_MS = 5_000

/** Interval of Node's check for slow requests, in milliseconds. */
const CHECK_INTERVAL_MS = 500

export interface ServeOptions {
  readonly witness: Witness
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: a free port. */
  readonly port?: number
  /** Time limit for a whole request, in milliseconds. Default: 10,000. */
  readonly requestTimeoutMs?: number
  /** Called for internal errors, whose details are not sent to the client. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void
}

export interface WitnessServer {
  /** The submission prefix of the witness, without a slash at the end. */
  readonly url: string
  /**
   * Stops accepting connections, gives pending requests five seconds to finish, and resolves when all connections
   * are closed.
   */
  close(): Promise<void>
}

/**
 * Starts a server.
 *
 * @throws WitnessError `LISTEN_FAILED` (as a rejection) if the address or port is unavailable
 * @example
 *   const server = await serveWitness({ witness, port: 8080 })
 */
export async function serveWitness({
  witness,
  host = '127.0.0.1',
  port = 0,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
  onError = warn,
}: ServeOptions): Promise<WitnessServer> {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  })
  server.maxConnections = CONNECTIONS_MAX
  // The timeout for idle connections also applies while the signer delays the answer.
  server.setTimeout(3 * requestTimeoutMs)
  server.on('request', (request, response) => void respond(witness, request, response, onError))
  await listen(server, host, port, onError)
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= closeServer(server)
    return closing
  }
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${(server.address() as AddressInfo).port}`, close }
}

async function respond(
  witness: Witness,
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    if (request.url !== PATH) return send(response, 404, 'not found\n')
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST')
      return send(response, 405, 'only POST\n')
    }
    const body = await readBody(request)
    if (body === null) return send(response, 413, `the request is longer than ${SUBMISSION_BYTES_MAX} bytes\n`)
    const answer = await witness.addCheckpoint(body)
    send(response, answer.status, answer.body, answer.contentType)
  } catch (error) {
    // A client that disconnects is not a server error.
    if (request.destroyed && !request.complete) return
    onError(error)
    if (!response.headersSent) send(response, 500, 'internal error\n')
  }
}

/** Returns the body; null if the body is too long, in which case the rest is not read. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  if (Number(request.headers['content-length'] ?? 0) > SUBMISSION_BYTES_MAX) return null
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > SUBMISSION_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  const { req: request } = response
  response.setHeader('Content-Type', type)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // If the connection stayed open, the rest of the body would have to be read before the next request.
  if (!request.complete || !request.socket.writable) response.setHeader('Connection', 'close')
  response.statusCode = status
  response.end(body)
}

async function listen(server: Server, host: string, port: number, onError: (error: unknown) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'choose a different port, or 0 for any free port'
      reject(
        new WitnessError('LISTEN_FAILED', `cannot listen on \`${host}\`: ${error.message}`, { hint, cause: error }),
      )
    })
    server.listen(port, host, resolve)
  })
  server.removeAllListeners('error').on('error', onError)
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
  await closed
  clearTimeout(timer)
}

const warn = (error: unknown): void => {
  process.emitWarning(`witness: ${error instanceof Error ? error.message : String(error)}`)
}
