/**
 * Globs for paths, over segments:
 *
 *     *      any characters within one segment, also none, also a leading dot
 *     ?      one character within one segment
 *     **     any number of segments, also none; a segment of its own
 *
 *     /srv/data/**         /srv/data, /srv/data/a, /srv/data/a/b
 *     /srv/*.csv           /srv/a.csv, /srv/.csv; not /srv/a/b.csv
 *
 * Brackets and braces have a meaning elsewhere and none here, so they are refused rather than taken literally.
 */
import { GLOB_SEGMENTS_MAX, PATH_CHARACTERS_MAX } from '../limits.js'
import { matchesText, matchesWildcard } from './wildcard.js'

/** Segments, each as its characters; `**` is null. */
export type CompiledGlob = readonly (readonly string[] | null)[]

/** What is wrong with a glob, or null. @param absolute whether it must begin with a slash, or must not */
export function globProblem(glob: string, absolute: boolean): readonly [problem: string, hint: string] | null {
  if (glob.length > PATH_CHARACTERS_MAX) return [`is longer than ${PATH_CHARACTERS_MAX} characters`, 'shorten it']
  if (/[\p{Cc}\u2028\u2029\uFFFD]/u.test(glob)) return ['has a control character in it', 'take it out']
  if (/[[\]{}]/.test(glob))
    return ['has brackets or braces', 'there are `*`, `?` and `**`; give several globs as a list']
  if (glob.startsWith('!')) return ['begins with `!`', 'there is no negation; put a rule that denies in front']
  if (glob.includes('\\')) return ['has a backslash', 'write slashes; paths are normalised before they are matched']
  if (/%[0-9A-Fa-f]{2}/.test(glob)) return ['is percent-encoded', 'write the characters themselves; paths are decoded']
  if (glob.startsWith('~')) return ['begins with `~`', 'write the home folder out']
  if (absolute && !glob.startsWith('/')) return ['is relative', 'begin it with `/`, or give the matcher a `root`']
  if (!absolute && glob.startsWith('/')) return ['is absolute', 'with a `root`, globs are relative to it']
  const segments = segmentsOf(glob)
  if (segments.length > GLOB_SEGMENTS_MAX) return [`has more than ${GLOB_SEGMENTS_MAX} segments`, 'use `**`']
  if (segments.length === 0 && !absolute) return ['is empty', '`**` is everything below the root']
  if (glob !== '/' && (glob.endsWith('/') || glob.includes('//'))) {
    return ['has an empty segment', 'write one slash between segments, and none at the end']
  }
  if (segments.some((part) => part === '.' || part === '..')) {
    return ['has a `.` or `..` segment', 'no normalised path has one']
  }
  if (segments.some((part) => part !== '**' && part.includes('**'))) {
    return ['has `**` inside a segment', '`**` is a segment of its own: `a/**/b`']
  }
  return null
}

/** Compiles a glob that `globProblem` has nothing to say about. */
export function compileGlob(glob: string): CompiledGlob {
  return segmentsOf(glob).map((segment) => (segment === '**' ? null : [...segment]))
}

/** @param path the segments of a normalised path */
export function matchesGlob(glob: CompiledGlob, path: readonly string[]): boolean {
  return matchesWildcard(
    glob,
    path,
    (part) => part === null,
    (part, segment) => part !== null && matchesText(part, segment),
  )
}

/** @param path absolute and normalised, or relative to something that is */
export function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '')
}
