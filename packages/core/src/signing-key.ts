// The key that signs a ledger, named by its file: read where it is, made where it is not and the ledger is new.
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

/** A key file is a few lines of text. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/** Reading and writing by the group and by others. */
const OTHERS_BITS = 0o066

const PEM_BEGIN = '-----BEGIN '

export interface KeyOptions {
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined
  /** Whether a key may be made where there is none: for a ledger that is not there yet. */
  readonly mayMake: boolean
}

/**
 * The private key in a PEM text, or in a file. A new one gets mode 0600, and its public key is put next to it:
 * `ledger.key.pem` and `ledger.pub.pem`.
 *
 * @param key - PEM (PKCS#8), or the path of a file of it
 * @throws TypeError for a file that is not there, or is not a key file; CryptoError for a key that cannot be used; the file
 * system's error
 * @example readOrMakeKey('ledger.key.pem', { mayMake: true })
 */
export function readOrMakeKey(key: string, { passphrase, mayMake }: KeyOptions): PrivateKey {
  if (key.includes(PEM_BEGIN)) return parsePrivateKey(key, passphrase)
  const found = readKey(key)
  if (found !== null) return parsePrivateKey(found, passphrase)
  if (!mayMake)
    throw new TypeError(
      `\`privateKey\`: ${quote(key)} does not exist; it must be the key that the ledger was begun with`,
    )
  return makeKey(key) ?? readOrMakeKey(key, { passphrase, mayMake: false })
}

/** Where the public key of a key file goes. */
export function publicKeyPath(path: string): string {
  return `${path.replace(/(?:\.key)?\.pem$/, '')}.pub.pem`
}

/** Null where there is no file. */
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
 * Makes a key pair. The file of the private key appears complete, or not at all; no file is written over.
 *
 * @returns null when another process has made one meanwhile
 */
function makeKey(path: string): PrivateKey | null {
  const publicPath = publicKeyPath(path)
  if (isThere(publicPath)) {
    if (isThere(path)) return null
    throw new TypeError(
      `\`privateKey\`: ${quote(path)} does not exist, but its public key ${quote(publicPath)} does; to begin with a new key, move that away`,
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
    // A file system without hard links: then it may be seen empty for a moment.
    writeDurably(path, key.pem)
  } finally {
    unlinkSync(made)
  }
  writeFileSync(publicPath, key.publicKey.pem, { mode: 0o644, flag: 'wx' })
  process.emitWarning(
    `made a key pair: ${quote(path)} signs the ledger and stays here; ${quote(publicPath)} is for verifiers`,
    { type: 'Note', code: 'SUDOAGENT_KEY_MADE' },
  )
  return key
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** For its owner alone; never over what is there, nor through a symbolic link. */
function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
