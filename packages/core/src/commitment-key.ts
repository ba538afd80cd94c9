// The key of commitments (`EngineOptions.commitmentKey`): random bytes that the operator keeps secret.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { types } from 'node:util'
import { CryptoError } from '@sudoagent/crypto'
import { quote } from './check.js'

/** HMAC-SHA256 has a security of 256 bits with keys of at least this length. */
const KEY_BYTES_MIN = 32

/** The maximum size of a key file. A larger file is a different file, given by mistake. */
const KEY_FILE_BYTES_MAX = 4096

/** All permissions of the group and of other users. */
const OTHERS_BITS = 0o077

/**
 * Copies a commitment key, so that later changes to the caller's array do not change the key.
 *
 * @throws TypeError for a value other than a Uint8Array of at least 32 bytes
 */
export function copyCommitmentKey(key: unknown): Uint8Array {
  if (!types.isUint8Array(key) || key.length < KEY_BYTES_MIN)
    throw new TypeError(`\`commitmentKey\` must be a Uint8Array of at least ${KEY_BYTES_MIN} bytes`)
  return new Uint8Array(key)
}

/**
 * Reads a commitment key from a file: all bytes of the file are the key.
 *
 * @throws CryptoError KEY_INVALID for a file that is not a regular file, has fewer than 32 or more than 4,096 bytes, or,
 *   except on Windows, has permissions for users other than the owner; file system errors
 * @example new SudoEngine({ …, commitmentKey: readCommitmentKey('commitment.key') })
 */
export function readCommitmentKey(path: string): Uint8Array {
  // Without O_NONBLOCK, opening a pipe would wait for its writer. Windows does not have the flag.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw unusable(path, 'is not a regular file', 'save the key to a file')
    if (process.platform !== 'win32' && (stat.mode & OTHERS_BITS) !== 0) {
      const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
      throw unusable(path, `gives other users access (mode ${mode})`, 'run `chmod 600` on the file')
    }
    const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1)
    let length = 0
    for (let read = 1; read > 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null)
    if (length > KEY_FILE_BYTES_MAX) throw unusable(path, `has more than ${KEY_FILE_BYTES_MAX} bytes`)
    if (length < KEY_BYTES_MIN) throw unusable(path, `has fewer than ${KEY_BYTES_MIN} bytes`)
    return new Uint8Array(bytes.subarray(0, length))
  } finally {
    closeSync(fd)
  }
}

const HOW_TO_CREATE = 'create a key: `(umask 077; head -c 32 /dev/urandom > commitment.key)`'

const unusable = (path: string, problem: string, hint: string = HOW_TO_CREATE): CryptoError =>
  new CryptoError('KEY_INVALID', `the commitment key ${quote(path)} ${problem}`, hint)
