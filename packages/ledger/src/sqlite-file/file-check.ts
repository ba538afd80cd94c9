// The check of a database file before SQLite opens it: its schema always, all of it at once where that takes no time, the rest of a large one
// beside the reading of its first rows.
import { fstatSync, readSync, statSync } from 'node:fs'
import { followLinks } from '../file.js'
import { withPages, withSideFile } from './database-pages.js'
import { findDamage } from './page-tree.js'
import { openShared, type SharedDescriptor } from './shared-descriptor.js'
import { readAt } from './wal.js'

/** Up to here all of a file is walked before it is opened: some 20 ms. */
const WALKED_AT_ONCE_BYTES = 32 * 1024 * 1024

/** Tries to walk a file that does not change meanwhile, at least; and for how long there are more of them, in milliseconds. */
const TRIES_MIN = 4
const TRIES_MS = 3_000

/** Pause between two tries, so that a writer gets to its end. */
const PAUSE_MS = 20

/**
 * Tables of a ledger that are read row by row, each row by its key, with a limit to its length: that is bounded by the depth of a tree (20 pages) even
 * where many pages lead to one. All others of a large file are walked before it is opened: SQLite looks at some by itself (`sqlite_sequence`,
 * `sqlite_stat1`), and no list of those would be complete.
 */
const READ_BY_KEY: ReadonlySet<string> = new Set(['ledger', 'sudoagent_tile'])

/** What another thread needs to walk a file: it must not open the file itself, for closing it would drop SQLite's locks. */
export interface WalkTask {
  readonly fd: number
  readonly path: string
}

/** A database file whose page tree is not one, so that SQLite must not be let near it. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile'
}

/** A file whose pages do not form a database, but that changes whenever it is looked at: whether it is damaged is not known. */
export class ChangingFile extends Error {
  override readonly name = 'ChangingFile'
  readonly code = 'FILE_CHANGES'

  constructor() {
    super('the file keeps changing while its pages do not form a database; stop what writes to it, and try again')
  }
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
   * @throws DamagedFile when SQLite must not open the file; ChangingFile; the file system's error
   */
  static begin(name: string, wholeUpTo = WALKED_AT_ONCE_BYTES): FileCheck {
    const path = followLinks(name)
    // Opening a pipe would wait for its other end. What is no file is for SQLite to refuse.
    if (!(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) return new FileCheck(path, null, 0, null)
    const descriptor = openShared(path)
    try {
      const { fd } = descriptor
      const bytes = fstatSync(fd).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
      const inSchema = walkUnchanged({ fd, path }, (table) => !READ_BY_KEY.has(table))
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
   * @throws ChangingFile (as a rejection)
   */
  async finish(walk: (task: WalkTask) => Promise<WalkAnswer | null>): Promise<string | null> {
    if (this.#damage !== undefined || this.#descriptor === null) return this.#damage ?? null
    const task = { fd: this.#descriptor.fd, path: this.#path }
    this.#walking ??= walk(task).then((found) => resultOf(found ?? answerWalk(task)))
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
 * @throws DamagedFile; ChangingFile; the file system's error
 */
export function requireSoundFile(path: string): void {
  const check = FileCheck.begin(path, Number.POSITIVE_INFINITY)
  check.close()
  if (typeof check.damage === 'string') throw new DamagedFile(check.damage)
}

/** What a thread says that walked a file. */
export type WalkAnswer = { readonly damage: string | null } | 'changing'

/** Walks a file for another thread. */
export function answerWalk(task: WalkTask): WalkAnswer {
  try {
    return { damage: walkUnchanged(task) }
  } catch (error) {
    if (error instanceof ChangingFile) return 'changing'
    throw error
  }
}

function resultOf(answer: WalkAnswer): string | null {
  if (answer === 'changing') throw new ChangingFile()
  return answer.damage
}

/**
 * Walks a file that others may write to. What looks like damage while the file changes is looked at again: a walk may see pages of two moments. Only an
 * unchanged file is called damaged, and a file that never stands still is called neither that nor sound.
 *
 * @param stateOf - differs whenever the file was changed
 * @returns what is wrong; null when nothing is
 * @throws ChangingFile; the file system's error
 */
export function walkUnchanged(
  task: WalkTask,
  follows?: (name: string) => boolean,
  stateOf: (task: WalkTask) => string = fileState,
): string | null {
  const { fd, path } = task
  const deadline = performance.now() + TRIES_MS
  for (let tries = 0; tries < TRIES_MIN || performance.now() < deadline; tries += 1) {
    if (tries > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    const before = stateOf(task)
    const damage = withPages(fd, path, (pages) => {
      if (pages === 'unusual journal') return 'its rollback journal is not one that a store of sudoagent leaves behind'
      if (pages === 'other page size') return 'the write-ahead log is that of another database'
      // No database: SQLite says so, too, and reads nothing more.
      return pages === null ? null : findDamage(pages, follows)
    })
    if (damage === null) return null
    if (stateOf(task) === before) return damage
  }
  throw new ChangingFile()
}

/** Changes with everything that a writer does: the header of a side file and its length, the file's change counter and its length. */
function fileState({ fd, path }: WalkTask): string {
  const counter = Buffer.alloc(4)
  readSync(fd, counter, 0, 4, 24)
  const sides = ['-wal', '-journal'].map((suffix) => withSideFile(`${path}${suffix}`, headOf))
  const { size, mtimeMs } = fstatSync(fd)
  return [counter.toString('hex'), size, mtimeMs, ...sides].join(' ')
}

function headOf(fd: number | null): string {
  if (fd === null) return 'none'
  const header = Buffer.alloc(32)
  readAt(fd, header, 0)
  return `${header.toString('hex')} ${fstatSync(fd).size}`
}
