// Files of their owner alone: made so, and refused when they are not. Whoever can write to a store of approvals, charges or accepted definitions can
// say yes for everybody.
import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, followLinks } from './file.js'

const GROUP_OR_OTHERS_WRITE = 0o022
const OTHERS_WRITE = 0o002
const STICKY = 0o1000

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

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

/**
 * Refuses a file that users other than its owner can write to, or replace: in the folder of the path, and in that of the file it leads to.
 *
 * @throws Error that says what to do about it; the file system's error
 */
export function requireOneWriter(path: string): void {
  // Windows has no such modes, and Node makes them up there.
  if (process.platform === 'win32') return
  const { mode } = statSync(path)
  const told = 'or open the store with `allowOtherWriters: true`'
  if ((mode & GROUP_OR_OTHERS_WRITE) !== 0)
    throw new Error(`other users can write to it (mode ${octal(mode)}): run \`chmod 600\` on it, ${told}`)
  for (const folder of new Set([dirname(path), dirname(followLinks(path))])) {
    const { mode: folderMode } = statSync(folder)
    // Where only the owner of a file can remove it (`/tmp`), nobody else can replace it.
    if ((folderMode & OTHERS_WRITE) !== 0 && (folderMode & STICKY) === 0)
      throw new Error(
        `everybody can replace it (mode ${octal(folderMode)} of its folder): run \`chmod o-w\` on the folder, ${told}`,
      )
  }
}
