// Creates files that only the owner may write to, and refuses files that other users can write to. A user who can
// write to a store of approvals, charges or accepted definitions can approve calls for everyone.
import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { LedgerError } from './error.js'
import { codeOf, followLinks } from './file.js'

export const GROUP_WRITES = 0o020
export const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/**
 * Creates an empty file with mode 0600, unless the file exists; SQLite would create the file with the default mode of
 * the umask. If several processes start at the same time, one process creates the file and the others use it.
 *
 * @throws Error for a dangling symbolic link, because SQLite would follow the link and create a file at a path that
 *   an attacker chose; a file system error
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

/**
 * The access that users other than the owner have to a file, and the octal mode of the file or folder that permits
 * it.
 */
export interface OtherWriters {
  readonly can: 'write' | 'replace'
  readonly mode: string
}

/**
 * Checks the mode of a file, the mode of its folder and, for a symbolic link, the mode of the target's folder.
 *
 * @param bits - `OTHERS_WRITE`, optionally with `GROUP_WRITES`
 * @returns null if other users cannot write to the file; always null on Windows, which does not have such modes
 * @throws a file system error
 */
export function otherWritersOf(path: string, bits: number): OtherWriters | null {
  if (process.platform === 'win32') return null
  const { mode } = statSync(path)
  if ((mode & bits) !== 0) return { can: 'write', mode: octal(mode) }
  for (const folder of new Set([dirname(path), dirname(followLinks(path))])) {
    const { mode: folderMode } = statSync(folder)
    // In a sticky folder such as `/tmp`, only the owner can remove or replace a file.
    if ((folderMode & OTHERS_WRITE) !== 0 && (folderMode & STICKY) === 0)
      return { can: 'replace', mode: octal(folderMode) }
  }
  return null
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

/**
 * Refuses a file that users other than its owner can write to or replace.
 *
 * @throws LedgerError FILE_NOT_PRIVATE; a file system error
 */
export function requireOneWriter(path: string): void {
  const others = otherWritersOf(path, GROUP_WRITES | OTHERS_WRITE)
  if (others === null) return
  const [problem, hint] =
    others.can === 'write'
      ? [`other users can write to it (mode ${others.mode})`, 'run `chmod 600` on it']
      : [`every user can replace it (mode ${others.mode} of its folder)`, 'run `chmod o-w` on the folder']
  throw new LedgerError('FILE_NOT_PRIVATE', problem, {
    hint: `${hint}, or open the store with \`allowOtherWriters: true\``,
  })
}
