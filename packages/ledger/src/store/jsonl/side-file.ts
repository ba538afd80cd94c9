// Reads and replaces the small files next to a ledger file: the head and the cosigned checkpoint. Each file is
// replaced atomically, so a reader never sees a partial file.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { decodeUtf8 } from '@sudoagent/crypto/bytes'
import { NOTE_BYTES_MAX } from '@sudoagent/crypto/note'
import { codeOf } from '../../file.js'
import type { StoredText } from '../../port/reader.js'

/** The path of a side file, which is next to the ledger file itself, not next to a symbolic link. */
export function beside(path: string, what: 'head' | 'tree' | 'cosigned'): string {
  return `${realpathSync(path)}.${what}`
}

/**
 * Reads a side file as untrusted input: it must be a regular file that does not exceed the maximum length of a note.
 */
export function readSideFile(path: string): StoredText {
  try {
    const kind = statSync(path, { throwIfNoEntry: false })
    if (kind === undefined) return null
    if (!kind.isFile() || kind.size > NOTE_BYTES_MAX) return 'unreadable'
    const fd = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(NOTE_BYTES_MAX + 1)
      const length = readSync(fd, bytes, 0, bytes.length, 0)
      return length > NOTE_BYTES_MAX ? 'unreadable' : { text: decodeUtf8(bytes.subarray(0, length)) }
    } finally {
      closeSync(fd)
    }
  } catch {
    return 'unreadable'
  }
}

/**
 * Replaces a side file atomically: the new content is durable before the rename, so after a crash the file has either
 * the old or the new content.
 */
export function writeSideFile(path: string, text: string): void {
  const { fd, name } = openTemporary(path)
  try {
    writeFileSync(fd, text)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(name, path)
}

/**
 * Creates a temporary file next to `path`. An existing file is never written to. A leftover file of the same user,
 * from a killed writer, is removed. Any other existing file, such as a link that another user placed in a shared
 * folder, is left in place, and the new file gets an unguessable name.
 */
function openTemporary(path: string): { readonly fd: number; readonly name: string } {
  const names = [`${path}.tmp`, `${path}.tmp`, `${path}.${randomBytes(8).toString('hex')}.tmp`]
  for (const [n, name] of names.entries()) {
    try {
      // O_EXCL: even a dangling symbolic link is never followed (POSIX open).
      return { name, fd: openSync(name, 'wx', 0o600) }
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n === names.length - 1) throw error
      if (n === 0) removeLeftOver(name)
    }
  }
  throw new Error('no free name for a temporary file')
}

function removeLeftOver(name: string): void {
  try {
    const there = lstatSync(name)
    if (there.isFile() && (process.getuid === undefined || there.uid === process.getuid())) unlinkSync(name)
  } catch {
    // The file was already removed, or removing it is not permitted; in the second case, the next name is used.
  }
}
