// The test `url`: compares the origin and path of a URL with those of the rule. A URL that two parsers may read
// differently is unclear.

import { PATH_LENGTH_MAX } from '../limits.js'
import { compileGlob, matchesGlob, segmentsOf } from '../pattern/glob.js'
import { readPath } from '../pattern/path.js'
import type { ArgumentTest } from './document.js'
import { agree, fails, HOLDS, unclear, type Verdict } from './truth.js'

/**
 * Scheme, authority and path; the query and the fragment are not tested. RFC 3986, appendix B, with a mandatory
 * `//`.
 */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/
/** A host name or address with an optional port: no user, no percent-encoding, only ASCII letters. */
const AUTHORITY = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' }

/**
 * The origin of a URL as rules compare it: scheme, host and port in lower case; the default port of the scheme is
 * omitted.
 *
 * @returns null when parsers could disagree about the host
 */
export function urlOrigin(scheme: string, authority: string): string | null {
  const name = scheme.toLowerCase()
  if (authority === '') return name === 'file' ? 'file://' : null
  if (!AUTHORITY.test(authority)) return null
  const host = authority.toLowerCase().replace(new RegExp(`:${DEFAULT_PORTS[name] ?? '-'}$`), '')
  try {
    // The URL parser rewrites numeric addresses (`0x7f.1`), ports with leading zeros, and the like.
    if (new URL(`${name}://${authority}/`).host.toLowerCase() !== host) return null
  } catch {
    return null
  }
  return host.replace(/:[0-9]+$/, '').endsWith('.') ? null : `${name}://${host}`
}

/** The origin of a string in a rule. @returns null when the string has a path, a user or any other part */
export function originOfText(text: string): string | null {
  const [, scheme = '', authority = '', path] = PARTS.exec(text) ?? []
  return path === '' && text === `${scheme}://${authority}` ? urlOrigin(scheme, authority) : null
}

export function compileUrlTest(test: Extract<ArgumentTest, { kind: 'url' }>): (value: string) => Verdict {
  const globs = test.paths?.map(compileGlob)
  return (value) => {
    if (value.length > PATH_LENGTH_MAX) return unclear(`is longer than ${PATH_LENGTH_MAX} characters`)
    // Some parsers drop tabs and line feeds; in HTTP they end a line.
    if (!value.isWellFormed() || /[\p{C}\p{Z}\s\\]/u.test(value))
      return unclear('has white space, a backslash or a control character')
    const [, scheme, authority, path] = PARTS.exec(value) ?? []
    if (scheme === undefined || authority === undefined || path === undefined) return unclear('is not an absolute URL')
    const origin = urlOrigin(scheme, authority)
    if (origin === null) return unclear('has a host that parsers may read differently')
    if (!test.origins.includes(origin)) return fails('has another origin')
    if (globs === undefined) return HOLDS
    // Some servers read the text after a semicolon as a parameter of the segment, some collapse empty segments, and
    // all remove dot segments.
    const segments = path.split('/').map((segment) => segment.replace(/;.*$/s, ''))
    if (segments.includes('.') || segments.includes('..')) return unclear('has a dot segment')
    if (path.includes('//')) return unclear('has an empty segment')
    const read = readPath(path === '' ? '/' : path, null)
    if (!read.ok) return unclear(read.why)
    const verdicts = read.readings.map((reading) =>
      globs.some((glob) => matchesGlob(glob, segmentsOf(reading))) ? HOLDS : fails('has another path'),
    )
    return agree(verdicts, 'has readings inside and outside the glob')
  }
}
