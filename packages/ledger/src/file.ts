// What the file-backed stores share: turning errors of the file system and of SQLite into ours, and knowing whether the path still names
// the file that was opened.
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

const CODES: ReadonlyMap<string, readonly [LedgerErrorCode, string]> = new Map([
  ['ENOENT', ['LEDGER_NOT_FOUND', 'does not exist']],
  ['ENOTDIR', ['LEDGER_NOT_FOUND', 'does not exist']],
  ['EISDIR', ['LEDGER_IS_DIRECTORY', 'is a directory']],
  ['EACCES', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['EPERM', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['EROFS', ['LEDGER_WRITE_FAILED', 'cannot be written: the file system is read-only']],
  ['ENOSPC', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk is full']],
  ['EDQUOT', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk quota is used up']],
  ['EFBIG', ['LEDGER_WRITE_FAILED', 'cannot be written: the file would be too large']],
  ['EIO', ['LEDGER_DAMAGED', 'cannot be read or written: input/output error']],
  [
    'FILE_CHANGES',
    ['LEDGER_BUSY', 'keeps changing while its pages do not form a database; stop its writers, and try again'],
  ],
  ['SQLITE_CANTOPEN', ['LEDGER_NOT_READABLE', 'cannot be opened']],
  ['SQLITE_PERM', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['SQLITE_AUTH', ['LEDGER_NOT_READABLE', 'cannot be opened: permission denied']],
  ['SQLITE_NOTADB', ['LEDGER_NOT_A_LEDGER', 'is not a SQLite database']],
  ['SQLITE_CORRUPT', ['LEDGER_DAMAGED', 'is a damaged SQLite database']],
  ['SQLITE_BUSY', ['LEDGER_BUSY', 'is locked by another process for longer than the timeout']],
  ['SQLITE_LOCKED', ['LEDGER_BUSY', 'is locked by another connection']],
  ['SQLITE_READONLY', ['LEDGER_WRITE_FAILED', 'cannot be written: it is read-only']],
  ['SQLITE_FULL', ['LEDGER_WRITE_FAILED', 'cannot be written: the disk is full']],
  ['SQLITE_IOERR', ['LEDGER_WRITE_FAILED', 'cannot be read or written: input/output error']],
])

/** The error code of Node or SQLite (`SQLITE_IOERR_FSYNC` and its like under their family's name). */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  return code.startsWith('SQLITE_') ? code.split('_').slice(0, 2).join('_') : code
}

/** `error` as a LedgerError about `path`; one that is a LedgerError already stays as it is. */
export function asLedgerError(
  error: unknown,
  path: string,
  otherwise: LedgerErrorCode = 'LEDGER_WRITE_FAILED',
): LedgerError {
  if (error instanceof LedgerError) return error
  const problem = nativeModuleProblem(error)
  if (problem !== null) return new LedgerError(otherwise, problem, { cause: error, hint: NATIVE_MODULE_HINT })
  // A link that leads to itself, or one that was planted where a file of ours goes: what could not be done depends on who asked.
  if (codeOf(error) === 'ELOOP')
    return new LedgerError(otherwise, `\`${path}\`, or a file next to it, is a symbolic link that is not followed`, {
      cause: error,
    })
  const [code, says] = CODES.get(codeOf(error)) ?? [
    otherwise,
    `failed: ${error instanceof Error ? error.message : String(error)}`,
  ]
  return new LedgerError(code, `\`${path}\` ${says}`, { cause: error })
}

/**
 * Whether a failed write may have left bytes behind whose fate nobody knows: then the writer must not go on. A sync that failed is one whatever it
 * says (a full disk is often noticed only then): the system may have dropped what it could not write, and call the next sync a success.
 */
export function isFatal(error: unknown): boolean {
  if (error instanceof Error && 'syscall' in error && /sync$/.test(String(error.syscall))) return true
  return ['EIO', 'SQLITE_IOERR', 'SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(codeOf(error))
}

/**
 * Makes sure that a path names a regular file, or nothing yet: opening a pipe would wait for its other end, a device may do anything.
 *
 * @returns whether it is there
 * @throws LedgerError LEDGER_IS_DIRECTORY, LEDGER_NOT_A_LEDGER; the file system's error when it cannot be asked
 */
export function isRegularFile(path: string): boolean {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (kind === undefined) return false
  if (kind.isDirectory()) {
    throw new LedgerError('LEDGER_IS_DIRECTORY', `\`${path}\` is a directory`, { hint: 'name the ledger file in it' })
  }
  if (!kind.isFile()) {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a regular file`, {
      hint: 'save the ledger to a file first',
    })
  }
  return true
}

/**
 * The file that a path leads to through symbolic links: SQLite keeps `-wal`, `-shm` and `-journal` next to it, not next to the link. A path that
 * names nothing stays as it is.
 */
export function followLinks(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

/**
 * Whether SQLite may have the file open, in this process too: then it must not be opened by other means. POSIX drops every lock that a process
 * has on a file as soon as the process closes *any* descriptor of it, and with SQLite's lock gone another process takes itself for the last
 * one and deletes the `-wal` that is being written (https://sqlite.org/howtocorrupt.html, section 2.2).
 */
export function isOpenInSqlite(path: string): boolean {
  return existsSync(`${followLinks(path)}-wal`)
}

/** The first bytes of a file that SQLite does not have open: 16, or as many as there are. */
export function firstBytes(path: string, length = 16): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

/** What a SQLite database starts with. */
export const SQLITE_MAGIC = 'SQLite format 3\0'

/** Remembers which file a path named, so that a writer notices when it was deleted, replaced or cut under it. */
export class FileIdentity {
  readonly #path: string
  readonly #dev: bigint
  readonly #ino: bigint
  /** Bytes that it had when it was last looked at; null where a file may become shorter. */
  #size: bigint | null

  constructor(path: string, { fd, onlyGrows = false }: { readonly fd?: number; readonly onlyGrows?: boolean } = {}) {
    this.#path = path
    const { dev, ino, size } = fd === undefined ? statSync(path, { bigint: true }) : fstatSync(fd, { bigint: true })
    this.#dev = dev
    this.#ino = ino
    this.#size = onlyGrows ? size : null
  }

  /** @throws LedgerError LEDGER_DAMAGED when the path is gone, names another file now, or a file that is shorter than before */
  check(): void {
    const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    if (now?.dev !== this.#dev || now.ino !== this.#ino)
      throw goneOrReplaced(this.#path, now === undefined ? 'deleted' : 'replaced')
    if (this.#size === null) return
    if (now.size < this.#size) throw goneOrReplaced(this.#path, 'cut')
    this.#size = now.size
  }
}

/** Linux: a descriptor that stands for a name and opens nothing, so that closing it drops no lock of SQLite's (open(2)). */
const O_PATH = 0o10_000_000

/**
 * The same for a file that is written and synced for each entry. Asking such a file for its times makes Linux (6.13 and later) give the next
 * write a time of its own, and each sync must then write the inode, too: a fifth of the cost of a commit. The kernel's name for an open file
 * costs nothing, and says ` (deleted)` when the file was deleted or another one was put in its place.
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

  /** @throws LedgerError LEDGER_DAMAGED when the path is gone or names another file now */
  check(): void {
    if (this.#name === null) this.#identity.check()
    else if (this.#nameNow() !== this.#name) throw goneOrReplaced(this.#path, 'deleted or replaced')
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
  }

  /** Null where there is no such thing: not Linux, or no /proc. */
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
    hint: 'stop the writers, find out who did it, and verify the file that is there now',
  })
}

/** Makes a new file's name durable. Some systems cannot sync a folder; then there is nothing to be done about it. */
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
