// Small texts beside a ledger file: its head, and the checkpoint that witnesses cosigned. Replaced as a whole, so that nobody finds half of one.
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
import { decodeUtf8, NOTE_BYTES_MAX } from '@sudoagent/crypto'
import { codeOf } from '../../file.js'
import type { StoredText } from '../../port/reader.js'

/** The path of what stands beside a ledger: beside the file itself, whatever links lead to it. */
export function beside(path: string, what: 'head' | 'tree' | 'cosigned'): string {
  return `${realpathSync(path)}.${what}`
}

/** Reads such a text as untrusted input: nothing but a regular file of a note's length is read. */
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

/** Replaces such a text: durable before it gets its name. After a crash there is the old one or the new one. */
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
 * A new file next to `path`. What has its name already is never written to: a writer that was killed left a file of its own, which is removed; anything
 * else (in a shared folder, a link that another user planted) stays, and the new file gets a name that cannot be guessed.
 */
function openTemporary(path: string): { readonly fd: number; readonly name: string } {
  const names = [`${path}.tmp`, `${path}.tmp`, `${path}.${randomBytes(8).toString('hex')}.tmp`]
  for (const [n, name] of names.entries()) {
    try {
      // Exclusive: a link that has the name, even one to nothing, is never followed (POSIX open, O_EXCL).
      return { name, fd: openSync(name, 'wx', 0o600) }
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n === names.length - 1) throw error
      if (n === 0) removeLeftOver(name)
    }
  }
  throw new Error('no name for a temporary file')
}

function removeLeftOver(name: string): void {
  try {
    const there = lstatSync(name)
    if (there.isFile() && (process.getuid === undefined || there.uid === process.getuid())) unlinkSync(name)
  } catch {
    // Gone, or not ours to remove: another name will do.
  }
}
