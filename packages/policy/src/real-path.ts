// Resolves paths on this machine's file system.
import { lstatSync, opendirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { DISK_WORK_MAX, FOLDER_ENTRIES_MAX, PATH_SEGMENTS_MAX } from './limits.js'
import type { RealPath } from './rule/path-test.js'

/** The number of folder entries that one system call returns. */
const ENTRIES_A_READ = 32

/**
 * Resolves an absolute path as the operating system does, step by step: symbolic links are followed first, and `..`
 * is relative to their targets. If the last part of the path does not exist yet, that part is used as written.
 *
 * The result is valid only at the time of the call. A process with write access below the root can insert a link before
 * the tool opens the file.
 *
 * @returns null if the result is unknown because of a loop, a file in place of a folder, a missing permission, a
 *   name that exists in the folder in a different Unicode form, or a dangling link. A write through a dangling link
 *   creates the target, which may be in any location
 */
export const realPathOnDisk: RealPath = Object.assign((path: string) => new DiskLook().realPath(path), {
  perEvaluation: (): RealPath => {
    const look = new DiskLook()
    return (path) => look.realPath(path)
  },
})

/**
 * Performs the file system lookups for one evaluation. Results are cached, and the total work is limited: an evaluation
 * is synchronous, so a timeout cannot stop it, and a call can contain hundreds of paths, each with hundreds of steps
 * through large folders.
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

  /** Resolves one name in a folder; null when it does not exist. @throws when the result is unknown */
  #step(folder: string, name: string): string | null {
    const path = below(folder, name)
    const known = this.#steps.get(path)
    if (known !== undefined) return known
    if (this.#hasOtherSpelling(folder, name)) throw new Error('another spelling')
    this.#spend(2)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    // Throws for a dangling link. On a case-insensitive file system, the result has the name as stored on disk.
    const leads = stat === undefined ? null : realpathSync.native(path)
    this.#steps.set(path, leads)
    return leads
  }

  #isFolder(path: string): boolean {
    this.#spend(1)
    return lstatSync(path).isDirectory()
  }

  /**
   * Whether the folder also contains this name in a different Unicode form. If so, it is unknown which of the two files
   * the tool will open.
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

  /**
   * Returns the names in a folder that have more than one Unicode form, indexed by their composed form; null if the
   * folder is too large.
   */
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

  /** @throws if this evaluation exceeds its work limit */
  #spend(work: number): void {
    this.#workLeft -= work
    if (this.#workLeft < 0) throw new Error('the work limit is exceeded')
  }
}

const below = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`)
