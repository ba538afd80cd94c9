// The test `glob`: a path, in all its readings, against globs below a root; with `resolve_symlinks`, also where it really leads.

import { type CompiledGlob, compileGlob, matchesGlob, segmentsOf } from '../pattern/glob.js'
import { readPath } from '../pattern/path.js'
import type { ArgumentTest } from './document.js'
import { agree, fails, HOLDS, unclear, type Verdict } from './truth.js'

/**
 * Where an absolute path really leads: symbolic links followed, `..` taken where the links have led. A path that does
 * not exist yet leads below its deepest folder that does. Null where that cannot be said: a dangling link, a loop, no
 * permission.
 */
export interface RealPath {
  (path: string): string | null
  /** The same for one evaluation: what was looked up is not looked up again, and the work is bounded as a whole. */
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
      if (realRoot === undefined || realPath === null) return unclear('cannot be followed on the disk')
      for (const path of new Set([...read.unfolded, ...read.readings])) {
        const real = realPath(path)
        verdicts.push(real === null ? unclear('leads nowhere that can be told') : within(real, realRoot, globs))
      }
    }
    return agree(verdicts, 'can be read, or leads, both inside and outside of the glob')
  }
}

function within(path: string, root: string | null, globs: readonly CompiledGlob[]): Verdict {
  const inside = root === null || root === '/' || path === root || path.startsWith(`${root}/`)
  if (!inside) return fails('is outside of the root')
  const segments = segmentsOf(root === null || root === '/' ? path : path.slice(root.length))
  return globs.some((glob) => matchesGlob(glob, segments)) ? HOLDS : fails('does not match the glob')
}
