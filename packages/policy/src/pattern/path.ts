/**
 * Reads a path string in every way that a tool may interpret it.
 *
 * A policy checks a string; a tool opens a file. Programs in between may decode percent-encoding, treat backslashes as
 * slashes, trim white space, remove quotation marks, or expand `~`. Therefore, a path is interpreted in every common
 * way, and each interpretation (a “reading”) is compared with the glob:
 *
 *     value            readings under root /w
 *     a/./b//c         /w/a/b/c
 *     100%25.txt       /w/100%25.txt, /w/100%.txt
 *     a\b              /w/a\b, /w/a/b
 *     %2e%2e/x         none: refused, an encoded traversal has no honest use
 *
 * An `allow` rule requires all readings to match; a `deny` rule requires only one (`truth.ts`).
 */
import { PATH_LENGTH_MAX, PATH_SEGMENTS_MAX } from '../limits.js'

export type PathReadings =
  | {
      readonly ok: true
      /** The absolute, normalised path, fully decoded, with slashes. */
      readonly path: string
      /** All readings, normalised, without duplicates. */
      readonly readings: readonly string[]
      /**
       * The absolute readings with their `.` and `..` segments, as an operating system would follow them step by
       * step.
       */
      readonly unfolded: readonly string[]
    }
  | { readonly ok: false; readonly why: string }

/**
 * The maximum number of times that a percent-encoded string is decoded: once by a URL parser, and once more by mistake.
 */
const DECODINGS = 2

const ENCODED = /%[0-9A-Fa-f]{2}/
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/**
 * Returns all readings of a path, or the reason why the path is rejected.
 *
 * @param root - the absolute, normalised folder that relative paths are resolved against; if null, relative paths are
 * rejected
 * @example readPath('a/../b', '/w')   // { ok: true, path: '/w/b', readings: ['/w/b'], unfolded: ['/w/a/../b'] }
 */
export function readPath(value: string, root: string | null): PathReadings {
  if (value === '') return refused('is empty')
  if (value.length > PATH_LENGTH_MAX) return refused(`is longer than ${PATH_LENGTH_MAX} characters`)
  const texts = decodings(value)
  if (typeof texts === 'string') return refused(texts)
  const unfolded: string[] = []
  for (const text of texts.flatMap((each) => [each, each.replaceAll('\\', '/')])) {
    const absolute = text.startsWith('/') ? text : root === null ? null : `${root}/${text}`
    if (absolute === null) return refused('is relative, and the rule has no `root`')
    if (absolute.split('/').length > PATH_SEGMENTS_MAX) return refused('has too many segments')
    const why = surface(fold(absolute))
    if (why !== null) return refused(why)
    unfolded.push(absolute)
  }
  const readings = unfolded.map(fold)
  return {
    ok: true,
    path: readings.at(-1) ?? '/',
    readings: [...new Set(readings)],
    unfolded: [...new Set(unfolded)],
  }
}

const refused = (why: string): PathReadings => ({ ok: false, why })

/**
 * Returns the string itself, the string decoded once, and, if percent-encoding remains, the string decoded twice; or
 * the reason why the string is rejected.
 */
function decodings(value: string): readonly string[] | string {
  let text = value.normalize('NFC')
  const why = surface(value) ?? hiddenIn(text, text.normalize('NFKC'))
  if (why !== null) return why
  const texts = [text]
  while (ENCODED.test(text)) {
    if (texts.length > DECODINGS) return 'is encoded more than twice'
    const decoded = decodeOnce(text)?.normalize('NFC')
    if (decoded === undefined) return 'has percent-encoding that is not valid UTF-8'
    const hidden = hiddenIn(text, decoded) ?? hiddenIn(decoded, decoded.normalize('NFKC'))
    if (hidden !== null) return hidden
    texts.push(decoded)
    text = decoded
  }
  return texts
}

/** Removes `.`, `..` and empty segments from an absolute path. As in POSIX, the parent of `/` is `/`. */
export function fold(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** Checks for characters that tools are known to change. @returns the reason why the string is rejected, or null */
function surface(text: string): string | null {
  if (!text.isWellFormed() || text.includes('\uFFFD')) return 'is not well-formed text'
  if (CONTROL.test(text)) return 'has a control character'
  if (text.trim() !== text) return 'begins or ends with white space, which tools may remove'
  if (/^["'`]|["'`]$/.test(text)) return 'begins or ends with a quotation mark, which tools may remove'
  if (text.startsWith('~')) return 'begins with `~`, which tools may replace with the home folder'
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return 'begins with a URL scheme or a drive letter'
  return null
}

/**
 * Decodes once: `%2e` and `%2E` become `.`. A `%` without two hex digits is unchanged. Returns undefined for invalid
 * UTF-8, such as the overlong `%c0%ae`.
 */
function decodeOnce(text: string): string | undefined {
  try {
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent)
  } catch {
    return undefined
  }
}

/**
 * Checks whether decoding reveals separators, dots, or characters that `surface` rejects.
 *
 * @returns the reason, or null
 */
function hiddenIn(before: string, after: string): string | null {
  if (before === after) return null
  if (count(after, /[/\\]/g) !== count(before, /[/\\]/g)) return 'hides a separator'
  if (dotted(after) !== dotted(before)) return 'hides a traversal'
  const why = surface(after)
  return why === null ? null : `is encoded, and the decoded form ${why}`
}

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0

const dotted = (text: string): number => text.split(/[/\\]/).filter((part) => part === '.' || part === '..').length
