// Implements the test `glob`: compares all readings of a path with globs below a root. With `resolve_symlinks`, the
// target of the path on disk is compared, too.

import { type CompiledGlob, compileGlob, matchesGlob, segmentsOf } from '../pattern/glob.js'
import { readPath } from '../pattern/path.js'
import type { ArgumentTest } from './document.js'
import { agree, fails, HOLDS, unclear, type Verdict } from './truth.js'

/**
 * Resolves an absolute path: symbolic links are followed, and `..` is relative to their targets. A path that does not
 * exist yet is resolved from its deepest existing folder. Returns null if the result is unknown because of a dangling
 * link, a loop or a missing permission.
 */
export interface RealPath {
  (path: string): string | null
  /** Returns a resolver for one evaluation. The resolver caches its results and limits the total work. */
  readonly perEvaluation?: () => RealPath
}

export function compilePathTest(
  test: Extract<ArgumentTest, { kind: 'glob' }>,
): (value: string, realPath: RealPath | null) => Verdict {
  const globs = test.globs.map(compileGlob)
  const { root, resolveSymlinks } = test
  return (value, realPath) => {
    const read = readPath(value, root)
    if (!read.ok) return unclear(read.why)
    const verdicts = read.readings.map((reading) => within(reading, root, globs))
    if (resolveSymlinks) {
      const realRoot = root === null ? null : (realPath?.(root) ?? undefined)
      if (realRoot === undefined || realPath === null) return unclear('cannot be resolved on disk')
      for (const path of new Set([...read.unfolded, ...read.readings])) {
        const real = realPath(path)
        verdicts.push(real === null ? unclear('has an unknown target on disk') : within(real, realRoot, globs))
      }
    }
    return agree(verdicts, 'has readings or targets both inside and outside the glob')
  }
}

function within(path: string, root: string | null, globs: readonly CompiledGlob[]): Verdict {
  const inside = root === null || root === '/' || path === root || path.startsWith(`${root}/`)
  if (!inside) return fails('is outside the root')
  const segments = segmentsOf(root === null || root === '/' ? path : path.slice(root.length))
  return globs.some((glob) => matchesGlob(glob, segments)) ? HOLDS : fails('does not match the glob')
}
