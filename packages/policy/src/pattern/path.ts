/**
 * Paths as text, and what they may mean to the tool that is given them.
 *
 * A policy judges a text; a tool opens a file. Between the two stand programs that decode percent signs, take
 * backslashes for slashes, trim, unquote, expand `~`. So a path is read in every way that is common, and each reading is
 * held against the glob:
 *
 *     value            readings under root /w
 *     a/./b//c         /w/a/b/c
 *     100%25.txt       /w/100%25.txt, /w/100%.txt
 *     a\b              /w/a\b, /w/a/b
 *     %2e%2e/x         none: refused, an encoded traversal has no honest use
 *
 * A rule that allows needs all readings to fit, and a rule that denies needs one (`truth.ts`).
 */
import { PATH_CHARACTERS_MAX, PATH_SEGMENTS_MAX } from '../limits.js'

export type PathReadings =
  | {
      readonly ok: true
      /** Absolute, normalised, fully decoded, with slashes. */
      readonly path: string
      /** All readings, normalised, without duplicates. */
      readonly readings: readonly string[]
      /** The same before `.` and `..` were taken out, absolute: what an operating system would follow step by step. */
      readonly unfolded: readonly string[]
    }
  | { readonly ok: false; readonly why: string }

/** How often a percent-encoded text is decoded: once by whoever takes a URL apart, and once more by mistake. */
const DECODINGS = 2

const ENCODED = /%[0-9A-Fa-f]{2}/
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/**
 * Reads a path.
 *
 * @param root absolute and normalised; what relative paths are relative to. Null: a relative path is refused
 * @example readPath('a/../b', '/w')   // { ok: true, path: '/w/b', readings: ['/w/b'], unfolded: ['/w/a/../b'] }
 */
export function readPath(value: string, root: string | null): PathReadings {
  if (value === '') return refused('is empty')
  if (value.length > PATH_CHARACTERS_MAX) return refused(`is longer than ${PATH_CHARACTERS_MAX} characters`)
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

/** The text as it is, decoded, and decoded again where there is something left to decode; or why it cannot be judged. */
function decodings(value: string): readonly string[] | string {
  let text = value.normalize('NFC')
  const why = surface(value) ?? hiddenIn(text, text.normalize('NFKC'))
  if (why !== null) return why
  const texts = [text]
  while (ENCODED.test(text)) {
    if (texts.length > DECODINGS) return 'is encoded more than twice'
    const decoded = decodeOnce(text)?.normalize('NFC')
    if (decoded === undefined) return 'has an encoding that is not UTF-8'
    const hidden = hiddenIn(text, decoded) ?? hiddenIn(decoded, decoded.normalize('NFKC'))
    if (hidden !== null) return hidden
    texts.push(decoded)
    text = decoded
  }
  return texts
}

/** Takes `.`, `..` and empty segments out of an absolute path. Above the top there is the top, as in POSIX. */
export function fold(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** What tools are known to make something else of. @returns why the text is no path that can be judged, or null */
function surface(text: string): string | null {
  if (!text.isWellFormed() || text.includes('\uFFFD')) return 'is not well-formed text'
  if (CONTROL.test(text)) return 'has a control character in it'
  if (text.trim() !== text) return 'begins or ends with white space, which tools take away'
  if (/^["'`]|["'`]$/.test(text)) return 'begins or ends with a quotation mark, which tools take away'
  if (text.startsWith('~')) return 'begins with `~`, which tools replace by a home folder'
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return 'begins with a scheme or a drive'
  return null
}

/** `%2e` and `%2E` are `.`; bytes that are no UTF-8 (an overlong `%c0%ae`) give undefined; a `%` that encodes nothing stays. */
function decodeOnce(text: string): string | undefined {
  try {
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent)
  } catch {
    return undefined
  }
}

/** Whether a decoded text has separators, dots or what `surface` refuses, that were not there in the open. */
function hiddenIn(before: string, after: string): string | null {
  if (before === after) return null
  if (count(after, /[/\\]/g) !== count(before, /[/\\]/g)) return 'hides a separator'
  if (dotted(after) !== dotted(before)) return 'hides a traversal'
  const why = surface(after)
  return why === null ? null : `is encoded, and decoded it ${why}`
}

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0

const dotted = (text: string): number => text.split(/[/\\]/).filter((part) => part === '.' || part === '..').length
