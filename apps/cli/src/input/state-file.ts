// What `verify --state` remembers.
import { existsSync } from 'node:fs'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { readText } from './input-file.js'

/** Ten thousand open calls have about 1 MiB. */
const STATE_BYTES_MAX = 64 * 1024 * 1024

/** The text of a state; null when there is no such file yet. @throws CliError */
export async function readStateFile(path: string, io: Io): Promise<string | null> {
  if (path === '' || path === '-') {
    throw new CliError(EXIT.usage, `--state \`${path}\` names no file`, 'the state is read, and written again')
  }
  return existsSync(path) ? readText(path, 'state', STATE_BYTES_MAX, io) : null
}
