// Reads a commitment key: the random bytes with which `mcp guard` and `SudoEngine` commit to parameters and results.
import { CliError, EXIT, isCoded } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'

/** @throws CliError naming the file if it cannot be read; CryptoError if it cannot be used as a key */
export async function readCommitmentKeyFile(path: string): Promise<Uint8Array> {
  const { readCommitmentKey } = await import('@sudoagent/core/boundary')
  try {
    return readCommitmentKey(path)
  } catch (error) {
    if (isCoded(error)) throw error
    const hint = errnoOf(error) === 'ENOENT' ? 'check the path of the commitment key' : errnoHint(error)
    throw new CliError(EXIT.failed, `commitment key \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
}
