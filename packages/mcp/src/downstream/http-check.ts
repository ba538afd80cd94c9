/**
 * Who may speak to the guard over HTTP, decided from the headers alone, before anything is read.
 *
 * A page in a browser can send requests to this machine, under a name of its own that it points here (DNS rebinding): so `Host` must be a
 * name of ours, and `Origin`, which browsers send, must be one that is expected. Other users of the machine can reach the loopback as
 * well: so there is a token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface HttpRules {
  /** `name:port`, lower case; a name of ours in each form that `Host` may have. */
  readonly hosts: ReadonlySet<string>
  /** As browsers send them: `https://app.example`. */
  readonly origins: ReadonlySet<string>
  /** Null where none is asked for. */
  readonly token: string | null
}

export interface HttpRefusal {
  readonly status: 401 | 403
  readonly message: string
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

export const isLoopback = (host: string): boolean => [...LOOPBACK, '::1'].includes(host)

/** Whether a server that is bound to it listens on every address of the machine. */
export const isAnyAddress = (host: string): boolean => /^(?:0+(?:\.0+){0,3}|[0:]*:[0:]*)$/.test(host)

/** @param more - further values that `Host` may have: `guard.example`, `guard.example:8443` */
export function rulesFor(
  host: string,
  port: number,
  { more = [], origins = [], token }: { more?: readonly string[]; origins?: readonly string[]; token: string | null },
): HttpRules {
  const own = isLoopback(host) ? LOOPBACK : [host.includes(':') ? `[${host}]` : host]
  const hosts = new Set([...own.map((name) => `${name}:${port}`), ...more].map((name) => name.toLowerCase()))
  return { hosts, origins: new Set([...origins, ...[...hosts].map((name) => `http://${name}`)]), token }
}

/** @returns null for a request that may go on */
export function checkHeaders(headers: IncomingHttpHeaders, { hosts, origins, token }: HttpRules): HttpRefusal | null {
  if (!hosts.has((headers.host ?? '').toLowerCase()))
    return { status: 403, message: 'this Host is not expected here: --allow-host adds a name that clients may use' }
  if (headers.origin !== undefined && !origins.has(headers.origin.toLowerCase()))
    return { status: 403, message: 'this Origin is not expected here: --allow-origin adds one' }
  if (token !== null && !isToken(headers.authorization, token))
    return { status: 401, message: 'a bearer token is needed' }
  return null
}

/** Takes as long for every token, right or wrong: the hashes have one length and are compared in constant time. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
