// Runs every example as a reader would: built, in an empty folder, without a terminal. Each example asserts its own
// result; this test asserts that it completed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const home = join(import.meta.dirname, '..')
const examples = readdirSync(join(home, 'examples'))
  .filter((name) => name.startsWith('adapter-'))
  .map((name) => name.replace(/\.ts$/, ''))

it('has one for each adapter', () => {
  const adapters = readdirSync(join(home, '../packages/adapters/src')).map(
    (name) => `adapter-${name.replace(/\.ts$/, '')}`,
  )
  const parts = ['adapter-denial-text', 'adapter-guarded-call', 'adapter-hold']
  expect(examples.sort()).toEqual(adapters.filter((name) => !parts.includes(name)).sort())
})

it.each(examples)('%s runs to its end', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-example-'))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(home, 'dist', `${name}.js`)], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('ledger: intact, 2 decisions, 1 outcome')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
