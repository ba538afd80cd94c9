// A policy that somebody names: a module that exports one.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { GuardPolicy } from '@sudoagent/mcp'
import { CliError, EXIT } from '../exit.js'

/**
 * Runs the module at `path` and takes its export `policy`, or its default export. It is code, and runs with all that this process may do.
 *
 * @throws CliError naming the file, and the line where it says one
 */
export async function loadPolicy(path: string): Promise<GuardPolicy> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as typeof module
  } catch (error) {
    const message = `policy \`${path}\` cannot be loaded: ${firstLine(error)}`
    throw new CliError(EXIT.failed, message, placeIn(error, path), error)
  }
  const policy = module.policy ?? module.default
  if (typeof policy === 'object' && policy !== null && typeof (policy as GuardPolicy).evaluate === 'function')
    return policy as GuardPolicy
  const hint = 'a module with `export const policy = { policyId: …, evaluate(context) { … } }`'
  throw new CliError(EXIT.failed, `\`${path}\` exports no policy`, hint)
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 300) ?? ''

/** Node names the place in the trace of what was thrown; of what cannot be parsed it tells only whoever lets it check the file. */
function placeIn(error: unknown, path: string): string | undefined {
  const file = resolve(path)
  const trace = error instanceof Error ? (error.stack ?? '') : ''
  const told =
    error instanceof SyntaxError ? spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr : trace
  for (const name of [`${pathToFileURL(file).href}:`, `${file}:`]) {
    const at = told.indexOf(name)
    const line = at === -1 ? null : /^\d+/.exec(told.slice(at + name.length))
    if (line !== null) return `look at line ${line[0]}`
  }
  return undefined
}
