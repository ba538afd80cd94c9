// Shared by the file-based stores: converts file system and SQLite errors, and detects that a path no longer names
// the opened file.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { LedgerError, type LedgerErrorCode } from './error.js'
import { NATIVE_MODULE_HINT, nativeModuleProblem } from './native-module.js'

const CODES: ReadonlyMap<string, readonly [LedgerErrorCode, string, hint?: string]> = new Map([
  ['ENOENT', ['LEDGER_NOT_FOUND', 'does not exist']],
  ['ENOTDIR', ['LEDGER_NOT_FOUND', 'does not exist']],
  ['EISDIR', ['LEDGER_IS_DIRECTORY', 'is a directory']],
  ['EACCES', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['EPERM', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['EROFS', ['LEDGER_WRITE_FAILED', 'cannot be written: the file system is read-only']],
  ['ENOSPC', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk is full']],
  ['EDQUOT', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk quota is exceeded']],
  ['EFBIG', ['LEDGER_WRITE_FAILED', 'cannot be written: the file would be too large']],
  ['EIO', ['LEDGER_DAMAGED', 'cannot be read or written: input/output error']],
  [
    'FILE_CHANGES',
    [
      'LEDGER_BUSY',
      'kept changing, and its pages never formed a valid database',
      'stop the programs that write to it, and try again',
    ],
  ],
  ['SQLITE_CANTOPEN', ['LEDGER_NOT_READABLE', 'cannot be opened']],
  ['SQLITE_PERM', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['SQLITE_AUTH', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['SQLITE_NOTADB', ['LEDGER_NOT_A_LEDGER', 'is not a SQLite database']],
  ['SQLITE_CORRUPT', ['LEDGER_DAMAGED', 'is a damaged SQLite database']],
  ['SQLITE_BUSY', ['LEDGER_BUSY', 'has been locked by another process for longer than the timeout']],
  ['SQLITE_LOCKED', ['LEDGER_BUSY', 'is locked by another connection']],
  ['SQLITE_READONLY', ['LEDGER_WRITE_FAILED', 'cannot be written: it is read-only']],
  ['SQLITE_FULL', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk is full']],
  ['SQLITE_IOERR', ['LEDGER_WRITE_FAILED', 'cannot be read or written: input/output error']],
])

/** The error code of Node or SQLite. Extended codes (`SQLITE_IOERR_FSYNC`) are reduced to the primary code. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  return code.startsWith('SQLITE_') ? code.split('_').slice(0, 2).join('_') : code
}

/** Converts `error` to a LedgerError about `path`. A LedgerError is returned unchanged. */
export function asLedgerError(
  error: unknown,
  path: string,
  otherwise: LedgerErrorCode = 'LEDGER_WRITE_FAILED',
): LedgerError {
  if (error instanceof LedgerError) return error
  const problem = nativeModuleProblem(error)
  if (problem !== null) return new LedgerError(otherwise, problem, { cause: error, hint: NATIVE_MODULE_HINT })
  // Converts the error for a symbolic link that leads to itself, or that was placed at the path of one of our files.
  // The error code depends on the caller's operation.
  if (codeOf(error) === 'ELOOP')
    return new LedgerError(otherwise, `\`${path}\`, or a file next to it, is a symbolic link, which is not followed`, {
      cause: error,
    })
  const [code, says, hint] = CODES.get(codeOf(error)) ?? [
    otherwise,
    `failed: ${error instanceof Error ? error.message : String(error)}`,
  ]
  return new LedgerError(code, `\`${path}\` ${says}`, { cause: error, hint })
}

/**
 * Whether a failed write may have left the file in an unknown state, so that the writer must stop. This includes
 * every failed sync, even with the code of a full disk: the system may drop the data and report success for the next
 * sync.
 */
export function isFatal(error: unknown): boolean {
  if (error instanceof Error && 'syscall' in error && /sync$/.test(String(error.syscall))) return true
  return ['EIO', 'SQLITE_IOERR', 'SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(codeOf(error))
}

/**
 * Checks that a path names a regular file or does not exist. Opening a pipe would block until the other end is
 * opened, and opening a device may have side effects.
 *
 * @returns whether the file exists
 * @throws LedgerError LEDGER_IS_DIRECTORY, LEDGER_NOT_A_LEDGER; a file system error if the path cannot be examined
 */
export function isRegularFile(path: string): boolean {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (kind === undefined) return false
  if (kind.isDirectory()) {
    throw new LedgerError('LEDGER_IS_DIRECTORY', `\`${path}\` is a directory`, {
      hint: 'give the path of the ledger file in that folder',
    })
  }
  if (!kind.isFile()) {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a regular file`, {
      hint: 'save the ledger to a file first',
    })
  }
  return true
}

/**
 * Resolves the symbolic links of a path: SQLite creates `-wal`, `-shm` and `-journal` next to the file, not next to a
 * link. A path that does not exist is returned unchanged.
 */
export function followLinks(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

/**
 * Whether SQLite may have the file open, in any process. Such a file must not be opened by other means: when a
 * process closes *any* descriptor of a file, POSIX drops all of the process's locks on the file. Without SQLite's
 * lock, another process would conclude that no other connection exists, and delete the `-wal` in use
 * (https://sqlite.org/howtocorrupt.html, section 2.2).
 */
export function isOpenInSqlite(path: string): boolean {
  return existsSync(`${followLinks(path)}-wal`)
}

/** Reads the first bytes of a file that SQLite does not have open; fewer than `length` if the file is shorter. */
export function firstBytes(path: string, length = 16): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** The first bytes of a SQLite database. */
export const SQLITE_MAGIC = 'SQLite format 3\0'

/**
 * Remembers the file that a path named, so that a writer can detect that the file was deleted, replaced or truncated.
 */
export class FileIdentity {
  readonly #path: string
  readonly #dev: bigint
  readonly #ino: bigint
  /** Length at the last check, in bytes; null for a file that may shrink. */
  #size: bigint | null

  constructor(path: string, { fd, onlyGrows = false }: { readonly fd?: number; readonly onlyGrows?: boolean } = {}) {
    this.#path = path
    const { dev, ino, size } = fd === undefined ? statSync(path, { bigint: true }) : fstatSync(fd, { bigint: true })
    this.#dev = dev
    this.#ino = ino
    this.#size = onlyGrows ? size : null
  }

  /**
   * @throws LedgerError LEDGER_DAMAGED if the path no longer exists or names a different file, or if the file is
   * shorter than before
   */
  check(): void {
    const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    if (now?.dev !== this.#dev || now.ino !== this.#ino)
      throw goneOrReplaced(this.#path, now === undefined ? 'deleted' : 'replaced')
    if (this.#size === null) return
    if (now.size < this.#size) throw goneOrReplaced(this.#path, 'cut')
    this.#size = now.size
  }
}

/**
 * Linux's `O_PATH`: the descriptor does not open the file, so closing the descriptor drops none of SQLite's locks
 * (open(2)).
 */
const O_PATH = 0o10_000_000

/**
 * Like `FileIdentity`, for a file that is written and synced for each entry. On Linux 6.13 and later, the first write
 * after a stat gets a new timestamp, so the next sync must also write the inode, which takes a fifth of the time of a
 * commit. This class therefore reads the kernel's name for the open file, which costs almost nothing; the name ends
 * in ` (deleted)` if the file was deleted or replaced.
 */
export class PinnedFile {
  readonly #path: string
  readonly #identity: FileIdentity
  readonly #fd: number | null
  readonly #name: string | null

  constructor(path: string) {
    this.#path = path
    this.#identity = new FileIdentity(path)
    this.#fd = process.platform === 'linux' ? openSync(path, O_PATH) : null
    this.#name = this.#nameNow()
  }

  /** @throws LedgerError LEDGER_DAMAGED if the path no longer exists or names a different file */
  check(): void {
    if (this.#name === null) this.#identity.check()
    else if (this.#nameNow() !== this.#name) throw goneOrReplaced(this.#path, 'deleted or replaced')
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
  }

  /** Null if not supported: not on Linux, or without /proc. */
  #nameNow(): string | null {
    if (this.#fd === null) return null
    try {
      return readlinkSync(`/proc/self/fd/${this.#fd}`)
    } catch {
      return null
    }
  }
}

function goneOrReplaced(path: string, what: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `\`${path}\` was ${what} while it was open`, {
    hint: 'stop the writers, find out who changed the file, and verify the current file',
  })
}

/** Makes the name of a new file durable. Some systems cannot sync a folder; the error is ignored. */
export function syncFolderOf(path: string): void {
  let fd: number | undefined
  try {
    fd = openSync(dirname(path), 'r')
    fsyncSync(fd)
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'EACCES'].includes(codeOf(error))) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
