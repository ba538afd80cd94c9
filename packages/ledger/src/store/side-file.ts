// Small texts beside a ledger file: its head, and the checkpoint that witnesses cosigned. Replaced as a whole, so that nobody finds half of one.
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { decodeUtf8, NOTE_BYTES_MAX } from '@sudoagent/crypto'
import type { StoredText } from '../ledger.js'

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
  const temporary = `${path}.tmp`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(fd, text)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
}
