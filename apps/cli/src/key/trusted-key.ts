// Keys whose word is taken for a log: PEM files, or files with a vkey, which binds a key to the name of one log.
import {
  CryptoError,
  createNoteVerifier,
  type NoteKey,
  type PublicKey,
  parsePublicKey,
  parseVkey,
} from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { parseKeyFile, pemOf, readKeyFile } from './key-file.js'

/** A key under a name, as a file with one line. */
const VKEY = /^[^+\n]+\+[0-9a-f]{8}\+/

/** As many as a verification takes: each is tried on every entry that does not name its own. */
const KEYS_MAX = 64

/**
 * Reads the keys in these files.
 *
 * @throws CliError naming the file: it cannot be read, or holds no key of a log
 */
export async function readTrustedKeys(paths: readonly string[]): Promise<readonly (PublicKey | NoteKey)[]> {
  if (paths.length > KEYS_MAX) {
    throw new CliError(EXIT.usage, `more than ${KEYS_MAX} public keys are given`, 'give the keys of this log')
  }
  return Promise.all(paths.map(readTrustedKey))
}

async function readTrustedKey(path: string): Promise<PublicKey | NoteKey> {
  const file = await readKeyFile(path, 'public key')
  const pem = pemOf(file)
  if (!VKEY.test(pem.trimStart())) return parseKeyFile(file, () => parsePublicKey(pem))
  return parseKeyFile(file, () => {
    // UTF-8, because a name may be in any script.
    const key = parseVkey(file.bytes.toString('utf8').trim())
    // Says so when it is the key of a witness.
    createNoteVerifier(key)
    return key
  })
}

/** A key that stands on the command line as a vkey. @throws CliError usage */
export function parseVkeyOption(option: string, text: string): NoteKey {
  try {
    return parseVkey(text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.usage, `${option} \`${text}\`: ${error.message}`, error.hint, error)
  }
}
