// Reads the state file of `verify --state`.
import { existsSync } from 'node:fs'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { readText } from './input-file.js'

/** A state with ten thousand open calls is about 1 MiB. */
const STATE_BYTES_MAX = 64 * 1024 * 1024

/**
 * Returns the text of the state; null if the file does not exist yet.
 *
 * @throws CliError if an existing file cannot be read
 */
export async function readStateFile(path: string, io: Io): Promise<string | null> {
  if (path === '' || path === '-') {
    throw new CliError(EXIT.usage, `--state \`${path}\` is not a file name`, 'the state is read and rewritten')
  }
  return existsSync(path) ? readText(path, 'state', STATE_BYTES_MAX, io) : null
}
