/**
 * Authorizes HTTP requests by their headers, before the body is read.
 *
 * A web page can send requests to this machine by resolving its own domain name to a local address (DNS rebinding).
 * `Host` must therefore be an allowed name, and `Origin`, which browsers send, must be an allowed origin. Other
 * users of the machine can connect to the loopback address, so a token is required.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface HttpRules {
  /** Allowed values of `Host`: `name:port` in lower case. */
  readonly hosts: ReadonlySet<string>
  /** Allowed values of `Origin`, as browsers send them: `https://app.example`. */
  readonly origins: ReadonlySet<string>
  /** Null if no token is required. */
  readonly token: string | null
}

export interface HttpRefusal {
  readonly status: 401 | 403
  readonly message: string
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

export const isLoopback = (host: string): boolean => [...LOOPBACK, '::1'].includes(host)

/** Whether a server bound to this address listens on all addresses of the machine. */
export const isAnyAddress = (host: string): boolean => /^(?:0+(?:\.0+){0,3}|[0:]*:[0:]*)$/.test(host)

/** @param more - additional values of `Host`: `guard.example`, `guard.example:8443` */
export function rulesFor(
  host: string,
  port: number,
  { more = [], origins = [], token }: { more?: readonly string[]; origins?: readonly string[]; token: string | null },
): HttpRules {
  const own = isLoopback(host) ? LOOPBACK : [host.includes(':') ? `[${host}]` : host]
  const hosts = new Set([...own.map((name) => `${name}:${port}`), ...more].map((name) => name.toLowerCase()))
  return { hosts, origins: new Set([...origins, ...[...hosts].map((name) => `http://${name}`)]), token }
}

/** @returns null if the request is allowed */
export function checkHeaders(headers: IncomingHttpHeaders, { hosts, origins, token }: HttpRules): HttpRefusal | null {
  if (!hosts.has((headers.host ?? '').toLowerCase()))
    return { status: 403, message: 'this Host is not allowed: add it with --allow-host' }
  if (headers.origin !== undefined && !origins.has(headers.origin.toLowerCase()))
    return { status: 403, message: 'this Origin is not allowed: add it with --allow-origin' }
  if (token !== null && !isToken(headers.authorization, token))
    return { status: 401, message: 'a valid bearer token is required' }
  return null
}

/** Compares hashes of equal length in constant time, so that the duration reveals nothing about the token. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
