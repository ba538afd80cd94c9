// The check of a database file before SQLite opens it: its schema always, all of it at once where that takes no time, the rest of a large one
// beside the reading of its first rows.
import { existsSync, fstatSync, readSync, statSync } from 'node:fs'
import { followLinks } from '../file.js'
import { withPages, withSideFile } from './database-pages.js'
import { findDamage } from './page-tree.js'
import { openShared, type SharedDescriptor } from './shared-descriptor.js'
import { readAt } from './wal.js'

/** Up to here all of a file is walked before it is opened: some 20 ms. */
const WALKED_AT_ONCE_BYTES = 32 * 1024 * 1024

/** Tries to walk a file that does not change meanwhile. */
const TRIES = 4

/** SQLite's own table of ids is read with every ledger, by one statement that looks at all of it. */
const WITH_THE_SCHEMA: ReadonlySet<string> = new Set(['sqlite_sequence'])

/** What another thread needs to walk a file: it must not open the file itself, for closing it would drop SQLite's locks. */
export interface WalkTask {
  readonly fd: number
  readonly path: string
}

/** A database file whose page tree is not one, so that SQLite must not be let near it. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile'
}

export class FileCheck {
  /** What is wrong with the file; null when nothing is, undefined while that is not known. */
  #damage: string | null | undefined
  readonly #path: string
  readonly #descriptor: SharedDescriptor | null
  #walking: Promise<string | null> | null = null
  /** Of the file and its write-ahead log. */
  readonly bytes: number

  private constructor(
    path: string,
    descriptor: SharedDescriptor | null,
    bytes: number,
    damage: string | null | undefined,
  ) {
    this.#path = path
    this.#descriptor = descriptor
    this.bytes = bytes
    this.#damage = damage
  }

  /**
   * Checks the schema, and all of a file that is not large.
   *
   * @param name - path of the file, or of a symbolic link to it
   * @param wholeUpTo - length of a file, in bytes, up to which all of it is walked now
   * @throws DamagedFile when SQLite must not open the file; the file system's error
   */
  static begin(name: string, wholeUpTo = WALKED_AT_ONCE_BYTES): FileCheck {
    const path = followLinks(name)
    // Opening a pipe would wait for its other end. What is no file is for SQLite to refuse.
    if (!(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) return new FileCheck(path, null, 0, null)
    const descriptor = openShared(path)
    try {
      const { fd } = descriptor
      const bytes = fstatSync(fd).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
      const inSchema = walkUnchanged({ fd, path }, (name) => WITH_THE_SCHEMA.has(name))
      if (inSchema !== null) throw new DamagedFile(inSchema)
      const damage = bytes <= wholeUpTo ? walkUnchanged({ fd, path }) : undefined
      return new FileCheck(path, descriptor, bytes, damage)
    } catch (error) {
      descriptor.release()
      throw error
    }
  }

  get damage(): string | null | undefined {
    return this.#damage
  }

  /**
   * Walks the rest, once. To be called while a connection has a snapshot of the file, which keeps writers from changing what is walked.
   *
   * @param walk - walks the file in another thread; null when it could not
   * @returns what is wrong; null when nothing is
   */
  async finish(walk: (task: WalkTask) => Promise<{ readonly damage: string | null } | null>): Promise<string | null> {
    if (this.#damage !== undefined || this.#descriptor === null) return this.#damage ?? null
    const task = { fd: this.#descriptor.fd, path: this.#path }
    this.#walking ??= walk(task).then((found) => (found === null ? walkUnchanged(task) : found.damage))
    this.#damage = await this.#walking
    return this.#damage
  }

  /** A walk that is under way keeps the file until it ends. */
  close(): void {
    const release = (): void => this.#descriptor?.release()
    if (this.#walking === null) release()
    else void this.#walking.then(release, release)
  }
}

/**
 * Checks all of a file that a program is about to open as its own store.
 *
 * @throws DamagedFile; the file system's error
 */
export function requireSoundFile(path: string): void {
  const check = FileCheck.begin(path, Number.POSITIVE_INFINITY)
  check.close()
  if (typeof check.damage === 'string') throw new DamagedFile(check.damage)
}

/**
 * Walks a file that others may write to. What looks like damage while the file changes is looked at again; a file that never stands still is written
 * by SQLite at this moment, and what SQLite writes is sound.
 *
 * @returns what is wrong; null when nothing is
 */
export function walkUnchanged({ fd, path }: WalkTask, follows?: (name: string) => boolean): string | null {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = stateOf(fd, path)
    const damage = withPages(fd, path, (pages) => {
      if (pages === 'other page size') return 'the write-ahead log is that of another database'
      // No database: SQLite says so, too, and reads nothing more.
      return pages === null ? null : findDamage(pages, follows)
    })
    if (damage === null) return null
    if (stateOf(fd, path) === before) return damage
  }
  return null
}

/** Changes with everything that a writer does: the header of the write-ahead log and the length of it, the file's change counter, its length. */
function stateOf(fd: number, path: string): string {
  const counter = Buffer.alloc(4)
  readSync(fd, counter, 0, 4, 24)
  const log = withSideFile(`${path}-wal`, (walFd) => {
    if (walFd === null) return 'none'
    const header = Buffer.alloc(32)
    readAt(walFd, header, 0)
    return `${header.toString('hex')} ${fstatSync(walFd).size}`
  })
  const { size, mtimeMs } = fstatSync(fd)
  return `${counter.toString('hex')} ${size} ${mtimeMs} ${log} ${existsSync(`${path}-journal`)}`
}
