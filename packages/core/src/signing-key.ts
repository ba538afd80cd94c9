// The key that signs a ledger, by its file: it is read if it exists, and created if it does not exist and the
// ledger is new.
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

/** A key file has a few lines of text. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/** Read and write permissions of the group and of others. */
const OTHERS_BITS = 0o066

const PEM_BEGIN = '-----BEGIN '

export interface KeyOptions {
  /** The passphrase of an encrypted key. */
  readonly passphrase?: string | undefined
  /** Whether a missing key may be created, because the ledger does not exist yet. */
  readonly mayMake: boolean
}

/**
 * Reads the private key in a PEM text or a file. A new file gets mode 0600, and its public key is written to the
 * same folder: `ledger.key.pem` and `ledger.pub.pem`.
 *
 * @param key - PEM (PKCS#8), or the path of a PEM file
 * @throws TypeError for a file that does not exist or is not a key file; CryptoError for a key that cannot be used;
 *   errors of the file system
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

/** The path of the public key of a key file. */
export function publicKeyPath(path: string): string {
  return `${path.replace(/(?:\.key)?\.pem$/, '')}.pub.pem`
}

/** Returns null when the file does not exist. */
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
      process.emitWarning(`other users can read or change the private key ${quote(path)}: run \`chmod 600\` on it`, {
        code: 'SUDOAGENT_KEY_MODE',
      })
    const bytes = Buffer.alloc(stat.size)
    const length = readSync(fd, bytes, 0, bytes.length, 0)
    return bytes.toString('latin1', 0, length)
  } finally {
    closeSync(fd)
  }
}

/**
 * Creates a key pair. The file of the private key appears complete or not at all; existing files are not
 * overwritten.
 *
 * @returns null when another process created one in the meantime
 */
function makeKey(path: string): PrivateKey | null {
  const publicPath = publicKeyPath(path)
  if (isThere(publicPath)) {
    if (isThere(path)) return null
    throw new TypeError(
      `\`privateKey\`: ${quote(path)} does not exist, but its public key ${quote(publicPath)} does; to create a new key, move the public key away`,
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
    // Without hard links, another process may briefly see an empty file.
    writeDurably(path, key.pem)
  } finally {
    unlinkSync(made)
  }
  writeFileSync(publicPath, key.publicKey.pem, { mode: 0o644, flag: 'wx' })
  process.emitWarning(
    `created a key pair: ${quote(path)} signs the ledger and must stay here; ${quote(publicPath)} is for verifiers`,
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
