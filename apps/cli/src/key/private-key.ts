// Reads a private key from a PEM file, plain or encrypted.
import { CryptoError, type CryptoErrorCode, type PrivateKey, parsePrivateKey } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { type Io, PASSPHRASE_VARIABLE } from '../terminal/io.js'
import { printMessage } from '../terminal/message.js'
import { type KeyFile, parseKeyFile, pemOf, readKeyFile } from './key-file.js'
import { askPassphrase } from './passphrase.js'

/** Mode bits that let the group or others read. */
const OTHERS_READ = 0o044

/**
 * Reads the private key in a PEM file. The passphrase of an encrypted key comes from SUDOAGENT_KEY_PASSPHRASE or is
 * asked for on the terminal. Prints a note on stderr if users other than the owner can read the file.
 *
 * @throws CliError naming the file if the file cannot be read or is not an Ed25519 private key, or if the passphrase
 *   is wrong
 */
export async function readPrivateKey(path: string, io: Io): Promise<PrivateKey> {
  return openPrivateKey(await readKeyFile(path, 'private key'), io)
}

/** Parses the private key of a key file. */
export async function openPrivateKey(file: KeyFile, io: Io): Promise<PrivateKey> {
  const pem = pemOf(file)
  // A public key given by mistake needs no warning.
  if (pem.includes('PRIVATE KEY-----')) await warnOfReaders(file, io)
  if (!isEncrypted(pem)) return parseKeyFile(file, () => parsePrivateKey(pem))
  const passphrase = io.keyPassphrase ?? (await askPassphrase(io, file.path))
  if (passphrase === null) {
    const message = `\`${file.path}\`: the private key is encrypted, and there is no terminal to ask for its passphrase`
    throw new CliError(EXIT.failed, message, `set ${PASSPHRASE_VARIABLE}`)
  }
  try {
    return parseKeyFile(file, () => parsePrivateKey(pem, passphrase))
  } catch (error) {
    if (io.keyPassphrase === undefined || !(error instanceof CliError && hasCode(error.cause, 'PASSPHRASE_WRONG')))
      throw error
    throw new CliError(error.exit, error.message, `the passphrase was taken from ${PASSPHRASE_VARIABLE}`, error.cause)
  }
}

/** Whether the key is valid except for the missing passphrase. */
function isEncrypted(pem: string): boolean {
  try {
    parsePrivateKey(pem)
    return false
  } catch (error) {
    return hasCode(error, 'PASSPHRASE_MISSING')
  }
}

const hasCode = (error: unknown, code: CryptoErrorCode): boolean => error instanceof CryptoError && error.code === code

async function warnOfReaders({ path, mode }: KeyFile, io: Io): Promise<void> {
  // Windows has no permission bits; Node reports invented values there.
  if (mode === null || (mode & OTHERS_READ) === 0 || process.platform === 'win32') return
  const octal = mode.toString(8).padStart(4, '0')
  await printMessage(
    io,
    'note',
    `other users can read the private key \`${path}\` (mode ${octal}); restrict it with chmod 600`,
  )
}
