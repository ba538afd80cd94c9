// A public key in a file that somebody named: maybe missing, maybe huge, maybe another kind of key.
import { open } from 'node:fs/promises'
import { CryptoError, type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from './errno.js'

/** No key file of any kind comes near this; whatever is longer is not read to its end. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/**
 * Reads the public key in a PEM file.
 *
 * @throws CliError naming the file: it cannot be read, or holds no Ed25519 public key
 */
export async function readPublicKey(path: string): Promise<PublicKey> {
  const pem = await readStart(path)
  try {
    return parsePublicKey(pem)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.failed, `\`${path}\`: ${error.message}`, error.hint, error)
  }
}

async function readStart(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      // A loop, because a pipe (`<(…)`) hands over what it has; latin1, because a key file is ASCII and nothing else may throw here.
      const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1)
      let length = 0
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead
      }
      if (length > KEY_FILE_BYTES_MAX) {
        throw new CliError(
          EXIT.failed,
          `\`${path}\` is too large for a key file`,
          'a public key is a PEM file of some 110 bytes',
        )
      }
      return bytes.toString('latin1', 0, length)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    const hint = errnoOf(error) === 'ENOENT' ? 'check the path of the public key' : errnoHint(error)
    throw new CliError(EXIT.failed, `public key \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
}
