// A key file that somebody named: maybe missing, maybe huge, maybe a pipe, maybe no key at all.
import { open } from 'node:fs/promises'
import { CryptoError } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'

export interface KeyFile {
  readonly path: string
  readonly bytes: Buffer
  /** Who may read and write it; null of what is no regular file, which nobody else opens by its name. */
  readonly mode: number | null
}

export type KeyFileKind = 'key' | 'private key' | 'public key'

/** No key file of any kind comes near this; whatever is longer is not read to its end. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/**
 * Reads a key file, whatever is in it.
 *
 * @throws CliError naming the file: it cannot be read, or is too large
 */
export async function readKeyFile(path: string, kind: KeyFileKind): Promise<KeyFile> {
  try {
    const file = await open(path, 'r')
    try {
      const stat = await file.stat()
      // A loop, because a pipe (`<(…)`) hands over what it has.
      const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1)
      let length = 0
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead
      }
      if (length > KEY_FILE_BYTES_MAX) {
        throw new CliError(EXIT.failed, `\`${path}\` is too large for a key file`, `a ${kind} is a few lines of text`)
      }
      return { path, bytes: bytes.subarray(0, length), mode: stat.isFile() ? stat.mode & 0o777 : null }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    const hint = errnoOf(error) === 'ENOENT' ? `check the path of the ${kind}` : errnoHint(error)
    throw new CliError(EXIT.failed, `${kind} \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
}

/** The text of a PEM file: latin1, because PEM is ASCII, and that it is something else is for the parser to say. */
export function pemOf({ bytes }: KeyFile): string {
  return bytes.toString('latin1')
}

/** What `parse` makes of a key file. @throws CliError naming the file, for what is refused */
export function parseKeyFile<T>({ path }: KeyFile, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.failed, `\`${path}\`: ${error.message}`, error.hint, error)
  }
}
