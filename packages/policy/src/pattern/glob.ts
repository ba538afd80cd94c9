/**
 * Matches paths against globs. A glob is compared with a normalised path segment by segment:
 *
 *     *      any number of characters within one segment, including zero and a leading dot
 *     ?      one character within one segment
 *     **     any number of segments, including zero; it must be a whole segment
 *
 *     /srv/data/**         /srv/data, /srv/data/a, /srv/data/a/b
 *     /srv/*.csv           /srv/a.csv, /srv/.csv; not /srv/a/b.csv
 *
 * The syntax is that of POSIX pathname patterns (XCU 2.14) with `**` and without bracket expressions. Brackets and
 * braces are special characters in other glob dialects, so a glob that contains brackets or braces is rejected instead
 * of being read literally.
 */

import { matchesText, matchesWildcard } from '@sudoagent/crypto/text'
import { GLOB_SEGMENTS_MAX, PATH_LENGTH_MAX } from '../limits.js'

/** The segments of a glob, each as a list of characters; `**` is null. */
export type CompiledGlob = readonly (readonly string[] | null)[]

/**
 * Checks a glob.
 *
 * @param absolute - whether the glob must begin with a slash; if false, it must not begin with a slash
 * @returns the problem and a hint; null for a valid glob
 */
export function globProblem(glob: string, absolute: boolean): readonly [problem: string, hint: string] | null {
  if (glob.length > PATH_LENGTH_MAX) return [`is longer than ${PATH_LENGTH_MAX} characters`, 'shorten it']
  if (/[\p{Cc}\u2028\u2029\uFFFD]/u.test(glob)) return ['has a control character', 'remove it']
  if (/[[\]{}]/.test(glob)) return ['has brackets or braces', 'use `*`, `?` and `**`; write several globs as a list']
  if (glob.startsWith('!')) return ['begins with `!`', 'negation is not supported; put a `deny` rule before this one']
  if (glob.includes('\\')) return ['has a backslash', 'use slashes; paths are normalised before they are matched']
  if (/%[0-9A-Fa-f]{2}/.test(glob)) return ['is percent-encoded', 'write the characters themselves; paths are decoded']
  if (glob.startsWith('~')) return ['begins with `~`', 'write the full path of the home folder']
  if (absolute && !glob.startsWith('/')) return ['is relative', 'begin the glob with `/`, or add a `root`']
  if (!absolute && glob.startsWith('/')) return ['is absolute', 'with a `root`, write the glob relative to the root']
  const segments = segmentsOf(glob)
  if (segments.length > GLOB_SEGMENTS_MAX) return [`has more than ${GLOB_SEGMENTS_MAX} segments`, 'use `**`']
  if (segments.length === 0 && !absolute) return ['is empty', '`**` matches everything below the root']
  if (glob !== '/' && (glob.endsWith('/') || glob.includes('//'))) {
    return ['has an empty segment', 'write one slash between segments, and no slash at the end']
  }
  if (segments.some((part) => part === '.' || part === '..')) {
    return ['has a `.` or `..` segment', 'normalised paths do not contain such segments']
  }
  if (segments.some((part) => part !== '**' && part.includes('**'))) {
    return ['has `**` inside a segment', '`**` must be a whole segment: `a/**/b`']
  }
  return null
}

/** Compiles a glob that `globProblem` accepts. */
export function compileGlob(glob: string): CompiledGlob {
  return segmentsOf(glob).map((segment) => (segment === '**' ? null : [...segment]))
}

/** @param path - the segments of a normalised path */
export function matchesGlob(glob: CompiledGlob, path: readonly string[]): boolean {
  return matchesWildcard(
    glob,
    path,
    (part) => part === null,
    (part, segment) => part !== null && matchesText(part, segment),
  )
}

/** @param path - absolute and normalised, or relative to an absolute, normalised path */
export function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '')
}
