import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as sqlite from '../src/sqlite.js'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '..', name), 'utf8')

const VALUES = [
  'ARGUMENT_CHECKS',
  'BLOCKED_BY_DEFAULT',
  'ChildUpstream',
  'DENIAL_META',
  'FEATURES',
  'Guard',
  'GuardError',
  'HttpUpstream',
  'MemoryToolPins',
  'PENDING_META',
  'StdioDownstream',
  'acceptAll',
  'serveGuard',
]
const TYPES = [
  'ArgumentCheck',
  'ChildOptions',
  'Feature',
  'GuardErrorCode',
  'GuardOptions',
  'GuardPolicy',
  'GuardServer',
  'GuardSession',
  'GuardTransport',
  'HttpUpstreamOptions',
  'SeenDefinition',
  'SeenState',
  'ServeOptions',
  'ToolDefinition',
  'ToolPin',
  'ToolPins',
]

/** The names that index.ts exports, types included: they leave no trace at run time. */
function exportedNames(): string[] {
  const blocks = [...read('src/index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)]
  return blocks
    .flatMap(([, names = '']) => names.split(',').map((name) => name.replace(/^\s*(?:type )?/, '').trim()))
    .filter(Boolean)
}

test('the public surface is what it was', () => {
  expect(Object.keys(api).sort()).toEqual(VALUES)
  expect(exportedNames().sort()).toEqual([...VALUES, ...TYPES].sort())
  expect(Object.keys(sqlite)).toEqual(['SqliteToolPins'])
})

test('is what package.json offers, and what README.md describes', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: object }
  expect(Object.keys(exports)).toEqual(['.', './sqlite'])
  for (const name of [...Object.keys(api), ...Object.keys(sqlite)]) expect(read('README.md')).toContain(`\`${name}`)
})
