// A public key in a file that somebody named.
import { type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import { parseKeyFile, pemOf, readKeyFile } from './key-file.js'

/**
 * Reads the public key in a PEM file.
 *
 * @throws CliError naming the file: it cannot be read, or holds no Ed25519 public key
 */
export async function readPublicKey(path: string): Promise<PublicKey> {
  const file = await readKeyFile(path, 'public key')
  return parseKeyFile(file, () => parsePublicKey(pemOf(file)))
}
