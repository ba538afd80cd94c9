import { expect, test } from 'vitest'
import { compilePathTest, type RealPath } from '../../src/rule/path-test.js'

/**
 * Simulates a disk on which `/w/out` is a link to `/etc`, `/link` is a link to `/w`, and the target of `/w/odd` is
 * unknown.
 */
const disk: RealPath = (path) => {
  if (path === '/w/odd') return null
  return path
    .replace(/^\/link/, '/w')
    .replace(/^\/w\/out\/\.\./, '/')
    .replace(/^\/w\/out/, '/etc')
    .replace(/^\/+/, '/')
}

const inside = { kind: 'glob', globs: ['**'], root: '/w', resolveSymlinks: true } as const

test.each([
  ['inside', 'a', 'true'],
  ['the root', '/w', 'true'],
  ['outside', '/etc/passwd', 'false'],
  ['through a link that leads outside', 'out/passwd', 'unclear'],
  ['.. behind a link that leads outside', 'out/../a', 'unclear'],
  ['where nothing can be told', 'odd', 'unclear'],
  ['into the root through a link', '/link/a', 'unclear'],
])('below a root, links followed: %s', (_, path, truth) => {
  expect(compilePathTest(inside)(path, disk).truth).toBe(truth)
})

test('below a root that is itself a link', () => {
  const test = compilePathTest({ ...inside, root: '/link' })
  expect(test('/link/a', disk).truth).toBe('true')
  expect(test('/link/out/x', disk).truth).toBe('unclear')
})

test('a rule about a folder sees the link that leads into it', () => {
  const etc = { kind: 'glob', globs: ['/etc/**'], root: null, resolveSymlinks: true } as const
  expect(compilePathTest(etc)('/w/out/passwd', disk).truth).toBe('unclear')
  expect(compilePathTest(etc)('/etc/passwd', disk).truth).toBe('true')
  expect(compilePathTest(etc)('/w/a', disk).truth).toBe('false')
})

test('with nobody to follow links, nothing can be told', () => {
  expect(compilePathTest(inside)('a', null).truth).toBe('unclear')
})
