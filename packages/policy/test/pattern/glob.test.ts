import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { compileGlob, globProblem, matchesGlob, segmentsOf } from '../../src/pattern/glob.js'

const matches = (glob: string, path: string): boolean => matchesGlob(compileGlob(glob), segmentsOf(path))

/**
 * Implements the definition literally: tries every number of segments for `**` and every number of characters for
 * `*`.
 */
function naive(glob: readonly string[], path: readonly string[]): boolean {
  const [part, ...rest] = glob
  if (part === undefined) return path.length === 0
  if (part === '**') return path.some((_, taken) => naive(rest, path.slice(taken))) || naive(rest, [])
  const [segment, ...others] = path
  return segment !== undefined && naiveSegment([...part], [...segment]) && naive(rest, others)
}

function naiveSegment(part: readonly string[], segment: readonly string[]): boolean {
  const [first, ...rest] = part
  if (first === undefined) return segment.length === 0
  if (first === '*') return naiveSegment(rest, segment) || (segment.length > 0 && naiveSegment(part, segment.slice(1)))
  return segment.length > 0 && (first === '?' || first === segment[0]) && naiveSegment(rest, segment.slice(1))
}

const name = (characters: string) => fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 4 })

describe('globs', () => {
  it('agree with the definition', () => {
    const part = fc.oneof({ weight: 1, arbitrary: fc.constant('**') }, { weight: 3, arbitrary: name('ab*?') })
    const glob = fc
      .array(part, { minLength: 1, maxLength: 6 })
      .filter((parts) => globProblem(parts.join('/'), false) === null)
    const path = fc.array(name('ab'), { maxLength: 6 })
    fc.assert(
      fc.property(glob, path, (parts, segments) => {
        expect(matches(parts.join('/'), segments.join('/'))).toBe(naive(parts, segments))
      }),
      { numRuns: 3_000 },
    )
  })

  test.each([
    ['/srv/data/**', '/srv/data', true],
    ['/srv/data/**', '/srv/data/a/b', true],
    ['/srv/data/**', '/srv/database', false],
    ['/srv/data/*', '/srv/data', false],
    ['/srv/*.csv', '/srv/a/b.csv', false],
    ['/**/.env', '/.env', true],
    ['/**/.env', '/a/b/.env', true],
    ['/', '/', true],
    ['/', '/a', false],
    ['/a+(b)', '/a+(b)', true],
  ])('`%s` and `%s`: %s', (glob, path, expected) => {
    expect(globProblem(glob, true)).toBeNull()
    expect(matches(glob, path)).toBe(expected)
  })

  it('do not blow up', () => {
    expect(matches(`${'**/a/'.repeat(30)}b`, 'a/'.repeat(250))).toBe(false)
    expect(matches(`${'*a'.repeat(1_000)}b`, 'a'.repeat(4_000))).toBe(false)
  })
})
