import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as sqlite from '../src/sqlite-store.js'

const VALUES = [
  'MemoryWitnessStore',
  'PROOF_LINES_MAX',
  'SUBMISSION_BYTES_MAX',
  'WitnessError',
  'cosign',
  'createWitness',
  'encodeAddCheckpoint',
  'parseAddCheckpoint',
  'serveWitness',
]

const TYPES = [
  'CosignOptions',
  'CosignedCheckpoint',
  'ServeOptions',
  'StoredCheckpoint',
  'Submission',
  'UnverifiedSubmission',
  'Witness',
  'WitnessAnswer',
  'WitnessErrorCode',
  'WitnessOptions',
  'WitnessServer',
  'WitnessStore',
]

/** The names that index.ts exports, types included: they leave no trace at run time. */
function exportedNames(): string[] {
  const source = readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8')
  const blocks = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)]
  return blocks
    .flatMap(([, names = '']) => names.split(',').map((name) => name.replace(/^\s*(?:type )?/, '').trim()))
    .filter(Boolean)
}

describe('the public surface', () => {
  test('is what it was', () => {
    expect(Object.keys(api).sort()).toEqual(VALUES)
    expect(exportedNames().sort()).toEqual([...VALUES, ...TYPES].sort())
    expect(Object.keys(sqlite)).toEqual(['SqliteWitnessStore'])
  })

  test('is what package.json offers', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
      exports: object
    }
    expect(Object.keys(manifest.exports)).toEqual(['.', './sqlite'])
  })

  test('is described in README.md', () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    for (const name of [...VALUES, 'SqliteWitnessStore']) expect(readme).toContain(`\`${name}`)
  })
})

test('the native SQLite module is loaded with the SQLite store only', () => {
  const loads = (name: string): string => {
    const script = join(import.meta.dirname, 'fixtures/loaded.mjs')
    const { stdout, stderr } = spawnSync(process.execPath, [script, name], { encoding: 'utf8' })
    return stdout + stderr
  }
  expect(loads('@sudoagent/witness')).toBe('false\n')
  expect(loads('@sudoagent/witness/sqlite')).toBe('true\n')
})
