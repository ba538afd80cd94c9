// The test `url`: where a URL leads, in all the ways in which tools read one. What two readers may read differently is unclear.

import { PATH_CHARACTERS_MAX } from '../limits.js'
import { compileGlob, matchesGlob, segmentsOf } from '../pattern/glob.js'
import { readPath } from '../pattern/path.js'
import type { ArgumentTest } from './document.js'
import { agree, fails, HOLDS, unclear, type Verdict } from './truth.js'

/** Scheme, authority, path; the query and the fragment are not tested. RFC 3986, appendix B, but for a missing `//`. */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/
/** A name or an address, and a port: no user, no encoding, no letters that a resolver turns into others. */
const AUTHORITY = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' }

/**
 * The origin of a URL as rules compare it: scheme, host and port, in lower case, without a port that is the scheme's own.
 *
 * @returns null where the text is not a URL whose host every reader agrees on
 */
export function urlOrigin(scheme: string, authority: string): string | null {
  const name = scheme.toLowerCase()
  if (authority === '') return name === 'file' ? 'file://' : null
  if (!AUTHORITY.test(authority)) return null
  const host = authority.toLowerCase().replace(new RegExp(`:${DEFAULT_PORTS[name] ?? '-'}$`), '')
  try {
    // Numbers for addresses (`0x7f.1`), ports with zeros in front, and the like, come out otherwise than they went in.
    if (new URL(`${name}://${authority}/`).host.toLowerCase() !== host) return null
  } catch {
    return null
  }
  return host.replace(/:[0-9]+$/, '').endsWith('.') ? null : `${name}://${host}`
}

/** The same of a rule's own text. @returns null when it has a path, a user or anything else */
export function originOfText(text: string): string | null {
  const [, scheme = '', authority = '', path] = PARTS.exec(text) ?? []
  return path === '' && text === `${scheme}://${authority}` ? urlOrigin(scheme, authority) : null
}

export function compileUrlTest(test: Extract<ArgumentTest, { kind: 'url' }>): (value: string) => Verdict {
  const globs = test.paths?.map(compileGlob)
  return (value) => {
    if (value.length > PATH_CHARACTERS_MAX) return unclear(`is longer than ${PATH_CHARACTERS_MAX} characters`)
    // Tabs and line feeds are dropped by some readers, and end a line of HTTP for others.
    if (!value.isWellFormed() || /[\p{C}\p{Z}\s\\]/u.test(value))
      return unclear('has white space, a backslash or a control character in it')
    const [, scheme, authority, path] = PARTS.exec(value) ?? []
    if (scheme === undefined || authority === undefined || path === undefined) return unclear('is not an absolute URL')
    const origin = urlOrigin(scheme, authority)
    if (origin === null) return unclear('has a host that readers may read differently')
    if (!test.origins.includes(origin)) return fails('has another origin')
    if (globs === undefined) return HOLDS
    // Some readers take what follows a semicolon for a parameter of the segment, some collapse empty segments, and all take dots out.
    const segments = path.split('/').map((segment) => segment.replace(/;.*$/s, ''))
    if (segments.includes('.') || segments.includes('..')) return unclear('has a dot segment')
    if (path.includes('//')) return unclear('has an empty segment')
    const read = readPath(path === '' ? '/' : path, null)
    if (!read.ok) return unclear(read.why)
    const verdicts = read.readings.map((reading) =>
      globs.some((glob) => matchesGlob(glob, segmentsOf(reading))) ? HOLDS : fails('has another path'),
    )
    return agree(verdicts, 'can be read as a path inside and outside of the glob')
  }
}
