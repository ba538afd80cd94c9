import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as sqlite from '../src/sqlite.js'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '..', name), 'utf8')

test('the public surface is what it was', () => {
  expect(Object.keys(api).sort()).toEqual([
    'ChildUpstream',
    'DENIAL_META',
    'FEATURES',
    'Guard',
    'MemoryToolPins',
    'PENDING_META',
    'StdioDownstream',
    'acceptAll',
  ])
  expect(Object.keys(sqlite)).toEqual(['SqliteToolPins'])
})

test('is what package.json offers, and what README.md describes', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: object }
  expect(Object.keys(exports)).toEqual(['.', './sqlite'])
  for (const name of [...Object.keys(api), ...Object.keys(sqlite)]) expect(read('README.md')).toContain(`\`${name}`)
})
