import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { readPath } from '../../src/pattern/path.js'

const pieces = fc.constantFrom(
  ...['a', 'b', '.', '..', '/', '\\', '%', '2', '5', 'e', '%2e', '%2f', '%5c', '%25', '%00', '%c3%a9', 'é', 'e\u0301'],
  ...['~', ' ', '"', ':', 'file', '．', '／', '‥', '%20', '%41', '\u0000', '\ud800', '�'],
)
const paths = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme' }),
)
const roots = fc.constantFrom(null, '/', '/w', '/w/x')

describe('a path, read', () => {
  it('has no `..`, `.`, empty segment or control character, whatever it was', () => {
    fc.assert(
      fc.property(paths, roots, (value, root) => {
        const read = readPath(value, root)
        if (!read.ok) return
        for (const path of [...read.readings, read.path]) {
          expect(path.startsWith('/')).toBe(true)
          expect(
            path
              .split('/')
              .slice(1)
              .filter((part) => part === '..' || part === '.'),
          ).toEqual([])
          expect(path === '/' || !/\/\/|\/$/.test(path)).toBe(true)
          expect(path).not.toMatch(/[\p{Cc}\p{Surrogate}]/u)
        }
        expect(read.readings).toContain(read.path)
        // `path` is fully decoded.
        expect(read.path).not.toMatch(/%[0-9a-f]{2}|\\/i)
      }),
      { numRuns: 3_000 },
    )
  })

  it('is read as itself: normalising is idempotent', () => {
    fc.assert(
      fc.property(paths, roots, (value, root) => {
        const read = readPath(value, root)
        if (!read.ok) return
        expect(readPath(read.path, root)).toEqual({
          ok: true,
          path: read.path,
          readings: [read.path],
          unfolded: [read.path],
        })
      }),
      { numRuns: 3_000 },
    )
  })

  it('has the reading that an operating system gives it, among the others', () => {
    const posix = (value: string, root: string | null): string => {
      const stack: string[] = []
      for (const part of (value.startsWith('/') ? value : `${root}/${value}`).split('/')) {
        if (part === '..') stack.pop()
        else if (part !== '.' && part !== '') stack.push(part)
      }
      return `/${stack.join('/')}`
    }
    fc.assert(
      fc.property(paths, roots, (value, root) => {
        const read = readPath(value, root)
        if (read.ok) expect(read.readings).toContain(posix(value.normalize('NFC'), root))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['a/../b', ['/w/b'], ['/w/a/../b']],
    ['100%25.txt', ['/w/100%25.txt', '/w/100%.txt'], ['/w/100%25.txt', '/w/100%.txt']],
    ['a\\b', ['/w/a\\b', '/w/a/b'], ['/w/a\\b', '/w/a/b']],
    ['/../..', ['/'], ['/../..']],
  ])('`%s` below /w', (value, readings, unfolded) => {
    expect(readPath(value, '/w')).toEqual({ ok: true, path: readings.at(-1), readings, unfolded })
  })

  it('is refused beyond the limits', () => {
    expect(readPath(`/${'a'.repeat(4_096)}`, null).ok).toBe(false)
    expect(readPath('/a'.repeat(300), null).ok).toBe(false)
  })
})
