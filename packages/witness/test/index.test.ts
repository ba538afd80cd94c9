import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as sqlite from '../src/sqlite-store.js'

test('README.md describes every value', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  for (const name of [...Object.keys(api), ...Object.keys(sqlite)]) expect(readme).toContain(`\`${name}`)
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
