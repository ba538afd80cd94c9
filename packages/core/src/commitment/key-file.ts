// Reads the file of a commitment key.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { CryptoError } from '@sudoagent/crypto'
import { quote } from '../check.js'
import { COMMITMENT_KEY_BYTES_MIN } from './commitment-key.js'

/** The maximum size of a key file. A larger file is a different file, given by mistake. */
const KEY_FILE_BYTES_MAX = 4096

/** All permissions of the group and of other users. */
const OTHERS_BITS = 0o077

/**
 * Reads a commitment key from a file: all bytes of the file are the key.
 *
 * @throws CryptoError KEY_INVALID for a file that is not a regular file, has fewer than 32 or more than 4,096 bytes,
 *   or, except on Windows, has permissions for users other than the owner; file system errors
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
    if (length < COMMITMENT_KEY_BYTES_MIN) throw unusable(path, `has fewer than ${COMMITMENT_KEY_BYTES_MIN} bytes`)
    return new Uint8Array(bytes.subarray(0, length))
  } finally {
    closeSync(fd)
  }
}

const HOW_TO_CREATE = 'create a key: `(umask 077; head -c 32 /dev/urandom > commitment.key)`'

const unusable = (path: string, problem: string, hint: string = HOW_TO_CREATE): CryptoError =>
  new CryptoError('KEY_INVALID', `the commitment key ${quote(path)} ${problem}`, hint)
