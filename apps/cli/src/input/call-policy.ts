// Reads the policy file that decides calls. Witness policies have a different format: see `witness-policy.ts`.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type LoadedPolicy, loadPolicy, PolicyFileError } from '@sudoagent/policy'
import { CliError, EXIT } from '../exit.js'

/** @throws CliError naming the file and the line of the mistake */
export async function readCallPolicy(path: string): Promise<LoadedPolicy> {
  try {
    return await loadPolicy(path)
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error
    const place = error.code === 'POLICY_MODULE_INVALID' ? placeIn(error.cause, path) : undefined
    throw new CliError(EXIT.failed, `${error.message} (${error.code})`, place ?? error.hint, error)
  }
}

/**
 * Finds the line of the mistake. A stack trace contains the line, unless the mistake is a syntax error in a module:
 * only `node --check` prints the line of a syntax error.
 */
function placeIn(error: unknown, path: string): string | undefined {
  const file = resolve(path)
  const told =
    error instanceof SyntaxError
      ? spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr
      : error instanceof Error
        ? (error.stack ?? '')
        : ''
  const { href } = pathToFileURL(file)
  for (const name of [href, file]) {
    const at = told.indexOf(name)
    const line = at === -1 ? null : /^(?:\?sha256=\w+)?:(\d+)/.exec(told.slice(at + name.length))
    if (line !== null) return `check line ${line[1]}`
  }
  return undefined
}
