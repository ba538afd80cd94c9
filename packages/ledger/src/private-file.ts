// Files of their owner alone: made so, and refused when they are not. Whoever can write to a store of approvals, charges or accepted definitions can
// say yes for everybody.
import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, followLinks } from './file.js'

export const GROUP_WRITES = 0o020
export const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/**
 * Makes an empty file with mode 0600 where there is none; SQLite would make it with the mode of the umask. Of several processes that start at once, one
 * makes the file and the others find it.
 *
 * @throws Error for a symbolic link to nothing: SQLite would follow it, and make the file where whoever planted it wants it; the file system's error
 */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    if (statSync(path, { throwIfNoEntry: false }) === undefined)
      throw Object.assign(new Error('it is a symbolic link to a file that does not exist'), { code: 'ENOENT' })
  }
}

/** What users other than the owner of a file can do with it, and the mode (octal) of the file or folder that lets them. */
export interface OtherWriters {
  readonly can: 'write' | 'replace'
  readonly mode: string
}

/**
 * Looks at the modes of a file, of the folder of its path, and of the folder of the file it leads to.
 *
 * @param bits - who is meant: `OTHERS_WRITE`, or with `GROUP_WRITES`
 * @returns null when nobody else can write; on Windows, which has no such modes (Node makes them up there), always
 * @throws the file system's error
 */
export function otherWritersOf(path: string, bits: number): OtherWriters | null {
  if (process.platform === 'win32') return null
  const { mode } = statSync(path)
  if ((mode & bits) !== 0) return { can: 'write', mode: octal(mode) }
  for (const folder of new Set([dirname(path), dirname(followLinks(path))])) {
    const { mode: folderMode } = statSync(folder)
    // Where only the owner of a file can remove it (`/tmp`), nobody else can replace it.
    if ((folderMode & OTHERS_WRITE) !== 0 && (folderMode & STICKY) === 0)
      return { can: 'replace', mode: octal(folderMode) }
  }
  return null
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

/**
 * Refuses a file that users other than its owner can write to, or replace.
 *
 * @throws Error that says what to do about it; the file system's error
 */
export function requireOneWriter(path: string): void {
  const others = otherWritersOf(path, GROUP_WRITES | OTHERS_WRITE)
  if (others === null) return
  const told = 'or open the store with `allowOtherWriters: true`'
  throw new Error(
    others.can === 'write'
      ? `other users can write to it (mode ${others.mode}): run \`chmod 600\` on it, ${told}`
      : `everybody can replace it (mode ${others.mode} of its folder): run \`chmod o-w\` on the folder, ${told}`,
  )
}
