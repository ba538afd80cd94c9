// What a program pays for an import: no native code, and no SQLite, before a SQLite ledger or store is opened.
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { ENTRY_POINTS } from './fixtures/entry-point.js'

/** Imports its argument, and says which addons were opened, and which modules for SQLite are loaded. */
const SCRIPT = `
import { createRequire } from 'node:module'
const opened = []
const open = process.dlopen
process.dlopen = function (module, file, ...rest) { opened.push(file); return open.call(this, module, file, ...rest) }
await import(process.argv[1])
const cached = Object.keys(createRequire(import.meta.url).cache ?? {}).filter((file) => file.includes('better-sqlite3'))
const builtin = process.moduleLoadList.filter((name) => / (?:internal\\/)?sqlite$/.test(name))
process.stdout.write(JSON.stringify({ opened, cached: cached.length > 0, builtin }))
process.exit(0)
`

// An adapter that imports its framework at run time loads what that brings, and needs it installed.
const OURS = ENTRY_POINTS.filter(
  ({ package: home, name }) => home !== 'adapters' || /\/(?:ai|claude-agent-sdk|mcp-server)$/.test(name),
)

/** The entry points of the stores themselves. They load the module; it opens its addon with the first database. */
const SQLITE = /\/(?:sqlite|jsonl|copy|cosigned)$/

it.each(OURS.map(({ name, url }) => [name, url] as const))('%s', (name, url) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, url], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  const loaded = JSON.parse(stdout) as { opened: string[]; cached: boolean; builtin: string[] }
  expect(loaded.opened).toEqual([])
  expect(loaded.builtin).toEqual([])
  if (!SQLITE.test(name)) expect(loaded.cached, 'better-sqlite3 is loaded').toBe(false)
})
