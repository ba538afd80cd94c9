// Where a path really leads on this machine's disk.
import { lstatSync, opendirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { DISK_WORK_MAX, FOLDER_ENTRIES_MAX, PATH_SEGMENTS_MAX } from './limits.js'
import type { RealPath } from './rule/path-test.js'

/** Entries that one read of a folder brings: they count as one piece of work. */
const ENTRIES_A_READ = 32

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
export const realPathOnDisk: RealPath = Object.assign((path: string) => new DiskLook().realPath(path), {
  perEvaluation: (): RealPath => {
    const look = new DiskLook()
    return (path) => look.realPath(path)
  },
})

/**
 * One look at the disk: what was asked is not asked again, and everything together has a bound. An evaluation is synchronous, so no timeout could
 * end it; a call may bring hundreds of paths, each with hundreds of steps through large folders.
 */
class DiskLook {
  readonly #answers = new Map<string, string | null>()
  readonly #steps = new Map<string, string | null>()
  readonly #folders = new Map<string, ReadonlyMap<string, readonly string[]> | null>()
  #workLeft = DISK_WORK_MAX

  realPath(path: string): string | null {
    const known = this.#answers.get(path)
    if (known !== undefined) return known
    const answer = this.#follow(path)
    this.#answers.set(path, answer)
    return answer
  }

  #follow(path: string): string | null {
    const steps = path.split('/').filter((step) => step !== '' && step !== '.')
    if (!path.startsWith('/') || steps.length > PATH_SEGMENTS_MAX) return null
    try {
      let at = '/'
      for (const [index, step] of steps.entries()) {
        if (step === '..') {
          at = dirname(at)
          continue
        }
        const next = this.#step(at, step)
        if (next === null) {
          const rest = steps.slice(index)
          if (rest.includes('..') || !this.#isFolder(at)) return null
          return rest.reduce(below, at)
        }
        at = next
      }
      return at
    } catch {
      return null
    }
  }

  /** Where a name in a folder leads; null when it is not there. @throws where that cannot be told */
  #step(folder: string, name: string): string | null {
    const path = below(folder, name)
    const known = this.#steps.get(path)
    if (known !== undefined) return known
    if (this.#hasOtherSpelling(folder, name)) throw new Error('another spelling')
    this.#spend(2)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    // Throws for a dangling link. For what is no link it gives the case that the disk has, where case makes no difference.
    const leads = stat === undefined ? null : realpathSync.native(path)
    this.#steps.set(path, leads)
    return leads
  }

  #isFolder(path: string): boolean {
    this.#spend(1)
    return lstatSync(path).isDirectory()
  }

  /**
   * Where a folder has the same name in another Unicode form, as another file, it cannot be told which of them the tool will open.
   */
  #hasOtherSpelling(folder: string, name: string): boolean {
    const composed = name.normalize('NFC')
    if (composed === name.normalize('NFD')) return false
    const names = this.#namesIn(folder)
    if (names === null) return true
    return (names.get(composed) ?? []).some((other) => {
      if (other === name) return false
      this.#spend(2)
      const [one, two] = [below(folder, name), below(folder, other)].map((path) =>
        lstatSync(path, { throwIfNoEntry: false }),
      )
      return one === undefined || two === undefined || one.ino !== two.ino || one.dev !== two.dev
    })
  }

  /** The names of a folder by their composed form, but for those that have no other form; null for a folder that is too large. */
  #namesIn(folder: string): ReadonlyMap<string, readonly string[]> | null {
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const names = new Map<string, string[]>()
    this.#spend(1)
    const entries = opendirSync(folder)
    let isTooLarge = false
    try {
      for (let seen = 0; ; seen += 1) {
        if (seen % ENTRIES_A_READ === 0) this.#spend(1)
        const entry = entries.readSync()
        if (entry === null) break
        isTooLarge = seen >= FOLDER_ENTRIES_MAX
        if (isTooLarge) break
        const composed = entry.name.normalize('NFC')
        if (composed === entry.name && composed === entry.name.normalize('NFD')) continue
        names.set(composed, [...(names.get(composed) ?? []), entry.name])
      }
    } finally {
      entries.closeSync()
    }
    const result = isTooLarge ? null : names
    this.#folders.set(folder, result)
    return result
  }

  /** @throws when the work of this look is used up */
  #spend(work: number): void {
    this.#workLeft -= work
    if (this.#workLeft < 0) throw new Error('too much to look up')
  }
}

const below = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`)
