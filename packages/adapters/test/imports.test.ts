// An adapter loads no database, nothing native, and no framework except LangChain's messages.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const dist = join(import.meta.dirname, '../dist')
const urlOf = (path: string): string => pathToFileURL(path).href
/** `@langchain/core` is not installed here: its one class, empty. */
const HOOKS = `export const resolve = (specifier, context, next) => specifier === '@langchain/core/messages'
  ? { url: 'data:text/javascript,export class ToolMessage {}', shortCircuit: true } : next(specifier, context)`
const script = (url: string): string => `import { createRequire, register } from 'node:module'
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)})
await import(${JSON.stringify(url)})
const commonJs = Object.keys(createRequire(import.meta.url).cache)
const native = commonJs.filter((path) => path.endsWith('.node') || path.includes('better-sqlite3'))
console.log(JSON.stringify([...native, ...process.moduleLoadList.filter((name) => / sqlite$/.test(name))]))`

/** The native files and databases that are loaded with a module. */
async function nativeOf(url: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script(url)])
  return JSON.parse(stdout) as string[]
}

const adapters = readdirSync(dist).filter((name) => name.endsWith('.js'))

it('finds the adapters, and what is native', async () => {
  expect(adapters).toContain('langchain.js')
  expect(adapters.length).toBeGreaterThanOrEqual(8)
  const sqlite = join(import.meta.dirname, '../../ledger/dist/store/sqlite/ledger.js')
  expect(await nativeOf(urlOf(sqlite))).toEqual(expect.arrayContaining([expect.stringContaining('better-sqlite3')]))
})

it.each(adapters)('%s loads nothing native', async (name) => {
  expect(await nativeOf(urlOf(join(dist, name)))).toEqual([])
})
