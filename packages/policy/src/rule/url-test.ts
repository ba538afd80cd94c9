// Implements the test `url`: compares the origin and path of a URL with the rule. A URL that two parsers may read
// differently is unclear.

import { PATH_LENGTH_MAX } from '../limits.js'
import { compileGlob, matchesGlob, segmentsOf } from '../pattern/glob.js'
import { readPath } from '../pattern/path.js'
import type { ArgumentTest } from './document.js'
import { agree, fails, HOLDS, unclear, type Verdict } from './truth.js'

/**
 * Captures the scheme, the authority and the path; the query and the fragment are not tested. RFC 3986, appendix B,
 * with a mandatory `//`.
 */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/
/** Matches a host name or address with an optional port, without a user name, percent-encoding or non-ASCII letters. */
const AUTHORITY = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' }

/**
 * Returns the origin of a URL in the form that rules compare: scheme, host and port in lower case, without the scheme's
 * default port.
 *
 * @returns null if parsers could disagree about the host
 */
export function urlOrigin(scheme: string, authority: string): string | null {
  const name = scheme.toLowerCase()
  if (authority === '') return name === 'file' ? 'file://' : null
  if (!AUTHORITY.test(authority)) return null
  const host = authority.toLowerCase().replace(new RegExp(`:${DEFAULT_PORTS[name] ?? '-'}$`), '')
  try {
    // The URL parser rewrites numeric addresses such as `0x7f.1`, ports with leading zeros, and similar forms.
    if (new URL(`${name}://${authority}/`).host.toLowerCase() !== host) return null
  } catch {
    return null
  }
  return host.replace(/:[0-9]+$/, '').endsWith('.') ? null : `${name}://${host}`
}

/** Returns the origin of a string in a rule. @returns null if the string has a path, a user or any other part */
export function originOfText(text: string): string | null {
  const [, scheme = '', authority = '', path] = PARTS.exec(text) ?? []
  return path === '' && text === `${scheme}://${authority}` ? urlOrigin(scheme, authority) : null
}

export function compileUrlTest(test: Extract<ArgumentTest, { kind: 'url' }>): (value: string) => Verdict {
  const globs = test.paths?.map(compileGlob)
  return (value) => {
    if (value.length > PATH_LENGTH_MAX) return unclear(`is longer than ${PATH_LENGTH_MAX} characters`)
    // Some parsers drop tabs and line feeds; in HTTP, a line feed ends a line.
    if (!value.isWellFormed() || /[\p{C}\p{Z}\s\\]/u.test(value))
      return unclear('has white space, a backslash or a control character')
    const [, scheme, authority, path] = PARTS.exec(value) ?? []
    if (scheme === undefined || authority === undefined || path === undefined) return unclear('is not an absolute URL')
    const origin = urlOrigin(scheme, authority)
    if (origin === null) return unclear('has a host that different parsers may read differently')
    if (!test.origins.includes(origin)) return fails('has a different origin')
    if (globs === undefined) return HOLDS
    // Some servers read the text after a semicolon as a parameter of the segment, some collapse empty segments, and
    // all remove dot segments.
    const segments = path.split('/').map((segment) => segment.replace(/;.*$/s, ''))
    if (segments.includes('.') || segments.includes('..')) return unclear('has a dot segment')
    if (path.includes('//')) return unclear('has an empty segment')
    const read = readPath(path === '' ? '/' : path, null)
    if (!read.ok) return unclear(read.why)
    const verdicts = read.readings.map((reading) =>
      globs.some((glob) => matchesGlob(glob, segmentsOf(reading))) ? HOLDS : fails('has a different path'),
    )
    return agree(verdicts, 'has readings both inside and outside the glob')
  }
}
