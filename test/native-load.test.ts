// Tests that imports load neither native code nor SQLite until a SQLite ledger or store is opened.
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { ENTRY_POINTS, entryPoint } from './fixtures/entry-point.js'

/**
 * `@langchain/core` is not installed here. This hook provides an empty class in place of the only class that is used
 * from it.
 */
const HOOKS = `export const resolve = (specifier, context, next) => specifier === '@langchain/core/messages'
  ? { url: 'data:text/javascript,export class ToolMessage {}', shortCircuit: true } : next(specifier, context)`

/** Imports its argument, and prints the opened addons, the loaded native files and the loaded SQLite modules. */
const SCRIPT = `
import { createRequire, register } from 'node:module'
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)})
const opened = []
const open = process.dlopen
process.dlopen = function (module, file, ...rest) { opened.push(file); return open.call(this, module, file, ...rest) }
await import(process.argv[1])
const cached = Object.keys(createRequire(import.meta.url).cache ?? {}).filter((file) => /better-sqlite3|\\.node$/.test(file))
const builtin = process.moduleLoadList.filter((name) => / (?:internal\\/)?sqlite$/.test(name))
process.stdout.write(JSON.stringify({ opened, cached: cached.length > 0, builtin }))
process.exit(0)
`

/**
 * The entry points of the stores. They load the SQLite module, which opens its addon only when it opens the first
 * database.
 */
const SQLITE = /\/(?:sqlite|jsonl|copy|cosigned)$/

interface Loaded {
  readonly opened: readonly string[]
  readonly cached: boolean
  readonly builtin: readonly string[]
}

function loadedBy(url: string): Loaded {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, url], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Loaded
}

it('finds the adapters, and what is native', () => {
  const adapters = ENTRY_POINTS.filter(({ package: home }) => home === 'adapters').map(({ name }) => name)
  expect(adapters).toContain('@sudoagent/adapters/langchain')
  expect(adapters.length).toBeGreaterThanOrEqual(8)
  expect(loadedBy(entryPoint('@sudoagent/ledger/sqlite').url).cached).toBe(true)
})

it.each(ENTRY_POINTS.map(({ name, url }) => [name, url] as const))('%s', (name, url) => {
  const { opened, cached, builtin } = loadedBy(url)
  expect(opened).toEqual([])
  expect(builtin).toEqual([])
  if (!SQLITE.test(name)) expect(cached, 'better-sqlite3 is loaded').toBe(false)
})
