// A private key in a file that somebody named: maybe encrypted, maybe lying open.
import { CryptoError, type CryptoErrorCode, type PrivateKey, parsePrivateKey } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { type Io, PASSPHRASE_VARIABLE } from '../terminal/io.js'
import { printMessage } from '../terminal/message.js'
import { type KeyFile, parseKeyFile, pemOf, readKeyFile } from './key-file.js'
import { askPassphrase } from './passphrase.js'

/** Reading by the group and by others. */
const OTHERS_READ = 0o044

/**
 * Reads the private key in a PEM file. When it is encrypted, the passphrase comes from SUDOAGENT_KEY_PASSPHRASE, or
 * from whoever sits at the terminal. Says so on stderr when others than its owner may read the file.
 *
 * @throws CliError naming the file: it cannot be read, holds no Ed25519 private key, or does not open
 */
export async function readPrivateKey(path: string, io: Io): Promise<PrivateKey> {
  return openPrivateKey(await readKeyFile(path, 'private key'), io)
}

/** The private key in a key file that was read already. */
export async function openPrivateKey(file: KeyFile, io: Io): Promise<PrivateKey> {
  const pem = pemOf(file)
  // Not of a public key that was given by mistake.
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

/** Whether all that a key lacks is its passphrase. */
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
  // Windows has no such modes; Node makes one up there.
  if (mode === null || (mode & OTHERS_READ) === 0 || process.platform === 'win32') return
  const octal = mode.toString(8).padStart(4, '0')
  await printMessage(
    io,
    'note',
    `others can read the private key \`${path}\` (mode ${octal}): chmod 600 keeps it to its owner`,
  )
}
