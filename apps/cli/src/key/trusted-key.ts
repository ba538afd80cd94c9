// Reads the public keys that verification trusts: PEM files, or files with a vkey, which binds a key to the name of
// one log.
import { CryptoError, type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import { createNoteVerifier, type NoteKey, parseVkey } from '@sudoagent/crypto/note'
import { CliError, EXIT } from '../exit.js'
import { parseKeyFile, pemOf, readKeyFile } from './key-file.js'

/** The start of a vkey: name, key hash, key. */
const VKEY = /^[^+\n]+\+[0-9a-f]{8}\+/

/**
 * Maximum number of keys in one verification: each of these keys is tried on every entry that does not name its
 * signing key.
 */
const KEYS_MAX = 64

/** Reads the public keys of a log. @throws CliError naming the file if it cannot be read or is not the key of a log */
export async function readTrustedKeys(paths: readonly string[]): Promise<readonly (PublicKey | NoteKey)[]> {
  if (paths.length > KEYS_MAX) {
    throw new CliError(EXIT.usage, `more than ${KEYS_MAX} public keys`, 'give only the keys of this log')
  }
  return Promise.all(paths.map(readTrustedKey))
}

async function readTrustedKey(path: string): Promise<PublicKey | NoteKey> {
  const file = await readKeyFile(path, 'public key')
  const pem = pemOf(file)
  if (!VKEY.test(pem.trimStart())) return parseKeyFile(file, () => parsePublicKey(pem))
  return parseKeyFile(file, () => {
    // A vkey is decoded as UTF-8, because a key name may contain any script.
    const key = parseVkey(file.bytes.toString('utf8').trim())
    // Throws for the key of a witness.
    createNoteVerifier(key)
    return key
  })
}

/** Parses a vkey from the command line. @throws CliError with exit code 2 */
export function parseVkeyOption(option: string, text: string): NoteKey {
  try {
    return parseVkey(text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.usage, `${option} \`${text}\`: ${error.message}`, error.hint, error)
  }
}
