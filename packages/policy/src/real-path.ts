// Where a path really leads on this machine's disk.
import { lstatSync, opendirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { PATH_SEGMENTS_MAX } from './limits.js'

/** Entries of a folder that are looked through for another spelling of a name; in a larger one the answer is that it cannot be told. */
const FOLDER_ENTRIES_MAX = 10_000

/**
 * Follows an absolute path as the operating system would: step by step, links first and `..` from where they led. The
 * part that does not exist yet is taken as it is written.
 *
 * What it says is true while it is said. Between this look and the tool's own, somebody who may write below the root can
 * put a link in the way.
 *
 * @returns null where it cannot be told: a dangling link (writing to it creates its target, wherever that is), a loop, a
 *   file where a folder is needed, no permission, or a name that the folder has in another Unicode spelling
 */
export function realPathOnDisk(path: string): string | null {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.')
  if (!path.startsWith('/') || steps.length > PATH_SEGMENTS_MAX) return null
  try {
    return follow(steps)
  } catch {
    return null
  }
}

function follow(steps: readonly string[]): string | null {
  let at = '/'
  for (const [index, step] of steps.entries()) {
    if (step === '..') {
      at = dirname(at)
      continue
    }
    const next = below(at, step)
    if (hasOtherSpelling(at, step)) return null
    const stat = lstatSync(next, { throwIfNoEntry: false })
    if (stat !== undefined) {
      // Throws for a dangling link. For what is no link it gives the case that the disk has, where case makes no difference.
      at = realpathSync.native(next)
      continue
    }
    const rest = steps.slice(index)
    if (rest.includes('..') || !lstatSync(at).isDirectory()) return null
    return rest.reduce(below, at)
  }
  return at
}

const below = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`)

/**
 * The engine shows a policy its texts in NFC, and the tool gets them as they came. Where a folder has the same name in
 * another form, as another file, nobody here knows which of them the tool will open.
 */
function hasOtherSpelling(folder: string, name: string): boolean {
  const composed = name.normalize('NFC')
  if (composed === name.normalize('NFD')) return false
  const entries = opendirSync(folder)
  try {
    for (let seen = 0; ; seen++) {
      const entry = entries.readSync()
      if (entry === null) return false
      if (seen >= FOLDER_ENTRIES_MAX) return true
      if (entry.name === name || entry.name.normalize('NFC') !== composed) continue
      const [one, other] = [below(folder, name), below(folder, entry.name)].map((path) =>
        lstatSync(path, { throwIfNoEntry: false }),
      )
      if (one === undefined || other === undefined || one.ino !== other.ino || one.dev !== other.dev) return true
    }
  } finally {
    entries.closeSync()
  }
}
