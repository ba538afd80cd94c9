// Reads the file of a ledger's signing key. If the file does not exist and the ledger is new, creates the key.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { generatePrivateKey, type PrivateKey, parsePrivateKey } from '@sudoagent/crypto'
import { quote } from './check.js'

/** The maximum size of a key file, which has only a few lines of text. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/** The read and write permissions of the group and of other users. */
const OTHERS_BITS = 0o066

const PEM_BEGIN = '-----BEGIN '

export interface KeyOptions {
  /** The passphrase for an encrypted key. */
  readonly passphrase?: string | undefined
  /** Whether a missing key may be created, because the ledger does not exist yet. */
  readonly mayMake: boolean
}

/**
 * Reads the private key from PEM text or from a file. A new key file gets mode 0600, and the public key is written to
 * the same folder: `ledger.key.pem` and `ledger.pub.pem`.
 *
 * @param key - PEM (PKCS#8), or the path of a PEM file
 * @throws TypeError for a file that does not exist or is not a key file; CryptoError for a key that cannot be used;
 * file system errors
 * @example readOrMakeKey('ledger.key.pem', { mayMake: true })
 */
export function readOrMakeKey(key: string, { passphrase, mayMake }: KeyOptions): PrivateKey {
  if (key.includes(PEM_BEGIN)) return parsePrivateKey(key, passphrase)
  const found = readKey(key)
  if (found !== null) return parsePrivateKey(found, passphrase)
  if (!mayMake)
    throw new TypeError(`\`privateKey\`: ${quote(key)} does not exist; use the key with which the ledger was created`)
  return makeKey(key) ?? readOrMakeKey(key, { passphrase, mayMake: false })
}

/** Returns the path of the public key that belongs to a key file. */
export function publicKeyPath(path: string): string {
  return `${path.replace(/(?:\.key)?\.pem$/, '')}.pub.pem`
}

/** Returns null if the file does not exist. */
function readKey(path: string): string | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > KEY_FILE_BYTES_MAX)
      throw new TypeError(`\`privateKey\`: ${quote(path)} is not a key file; a private key is a few lines of text`)
    if (process.platform !== 'win32' && (stat.mode & OTHERS_BITS) !== 0)
      process.emitWarning(
        `other users can read or change the private key ${quote(path)}: run \`chmod 600\` on the file`,
        {
          code: 'SUDOAGENT_KEY_MODE',
        },
      )
    const bytes = Buffer.alloc(stat.size)
    const length = readSync(fd, bytes, 0, bytes.length, 0)
    return bytes.toString('latin1', 0, length)
  } finally {
    closeSync(fd)
  }
}

/**
 * Creates a key pair. The private key file appears complete or not at all. Existing files are not overwritten.
 *
 * @returns null if a different process created the key file in the meantime
 */
function makeKey(path: string): PrivateKey | null {
  const publicPath = publicKeyPath(path)
  if (isThere(publicPath)) {
    if (isThere(path)) return null
    throw new TypeError(
      `\`privateKey\`: ${quote(path)} does not exist, but its public key ${quote(publicPath)} does; to create a new key pair, move the public key file away`,
    )
  }
  const key = generatePrivateKey()
  const made = join(dirname(path), `.sudoagent-${randomBytes(8).toString('hex')}.key`)
  writeDurably(made, key.pem)
  try {
    linkSync(made, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return null
    if (!NO_LINKS.has(codeOf(error))) throw error
    // Without hard links, a different process may briefly see an empty file.
    writeDurably(path, key.pem)
  } finally {
    unlinkSync(made)
  }
  writeFileSync(publicPath, key.publicKey.pem, { mode: 0o644, flag: 'wx' })
  process.emitWarning(
    `created a key pair: ${quote(path)} is the private key and signs the ledger: keep it secret; ${quote(publicPath)} is the public key: give it to verifiers`,
    { type: 'Note', code: 'SUDOAGENT_KEY_MADE' },
  )
  return key
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Creates the file with mode 0600. Existing files are not overwritten, and symbolic links are not followed. */
function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
