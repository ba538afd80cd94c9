// Checks an untrusted database file before SQLite opens it, following the SQLite file format
// (https://sqlite.org/fileformat2.html, summarised in `format.ts`).
//
// SQLite trusts the page pointers of a file. If many pointers lead to the same page, a file of some kilobytes
// can keep it busy forever. `page-tree.ts` walks the pages from the schema and fails at the second pointer to
// any page:
//
//   page 1 (schema) → 2, 5      page 2 → 3, 4      page 5 → 4      →  "page 4 is used twice"
//
// The walk sees the pages as SQLite would: with those of the rollback journal (`journal.ts`) and of the
// write-ahead log (`wal.ts`). `objects.ts` then lists triggers, views and other objects that the file declares.
//
// All trees of a file of up to 32 MiB are walked before it is opened. For a larger file, the tables that are
// read by key are walked in a thread while their first rows are read. If a writer changes the file during a
// walk that finds damage, the walk is repeated.
import { fstatSync, readSync, statSync } from 'node:fs'
import { SudoAgentError } from '@sudoagent/crypto'
import { followLinks } from '../file.js'
import { withPages, withSideFile } from './database-pages.js'
import { findDamage } from './page-tree.js'
import { openShared, type SharedDescriptor } from './shared-descriptor.js'
import { readAt } from './wal.js'

/** Length of a file, in bytes, up to which it is walked completely before it is opened. This takes about 20 ms. */
const WALKED_AT_ONCE_BYTES = 32 * 1024 * 1024

/**
 * Minimum number of attempts to walk a file while it does not change, and the time for further attempts, in
 * milliseconds.
 */
const TRIES_MIN = 4
const TRIES_MS = 3_000

/** Pause between two attempts, in milliseconds, so that a writer can finish. */
const PAUSE_MS = 20

/**
 * Ledger tables that are read row by row and by key, with a limit to the length of a row. The cost of each read
 * is limited by the depth of a tree (20 pages), even if many pages lead to one. All other tables of a large
 * file are walked before it is opened: SQLite reads some on its own (`sqlite_sequence`, `sqlite_stat1`), and no
 * list of these would be complete.
 */
const READ_BY_KEY: ReadonlySet<string> = new Set(['ledger', 'sudoagent_tile'])

/**
 * The input of a thread that walks a file. The thread must not open the file itself, because closing it would
 * drop SQLite's locks.
 */
export interface WalkTask {
  readonly fd: number
  readonly path: string
}

/** A database file whose pages do not form trees, so that SQLite must not open it. */
export class DamagedFile extends SudoAgentError<'FILE_DAMAGED'> {
  override readonly name = 'DamagedFile'

  constructor(message: string) {
    super('FILE_DAMAGED', message, { hint: 'keep the file as it is, and compare it with a backup' })
  }
}

/**
 * A file whose pages do not form a database, but that changed during every walk, so it is unknown whether it is
 * damaged.
 */
export class ChangingFile extends SudoAgentError<'FILE_CHANGES'> {
  override readonly name = 'ChangingFile'

  constructor() {
    super('FILE_CHANGES', 'the file keeps changing while its pages do not form a database', {
      hint: 'stop what writes to it, and try again',
    })
  }
}

export class FileCheck {
  /** The damage; null if there is none, undefined while that is unknown. */
  #damage: string | null | undefined
  readonly #path: string
  readonly #descriptor: SharedDescriptor | null
  #walking: Promise<string | null> | null = null
  /** Length of the file and its write-ahead log. */
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
   * Checks the schema, and the whole file if it is not large.
   *
   * @param name - path of the file, or of a symbolic link to it
   * @param wholeUpTo - length of a file, in bytes, up to which it is walked completely now
   * @throws DamagedFile if SQLite must not open the file; ChangingFile; the file system's error
   */
  static begin(name: string, wholeUpTo = WALKED_AT_ONCE_BYTES): FileCheck {
    const path = followLinks(name)
    // Opening a pipe would block until its other end is opened. SQLite itself refuses other kinds of files.
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
   * Walks the rest of the file, once. Called while a connection has a snapshot, which keeps writers from
   * changing the pages of the walk.
   *
   * @param walk - walks the file in another thread; null if it failed
   * @returns the damage; null if there is none
   * @throws ChangingFile (as a rejection)
   */
  async finish(walk: (task: WalkTask) => Promise<WalkAnswer | null>): Promise<string | null> {
    if (this.#damage !== undefined || this.#descriptor === null) return this.#damage ?? null
    const task = { fd: this.#descriptor.fd, path: this.#path }
    this.#walking ??= walk(task).then((found) => resultOf(found ?? answerWalk(task)))
    this.#damage = await this.#walking
    return this.#damage
  }

  /** If a walk is in progress, the file stays open until it ends. */
  close(): void {
    const release = (): void => this.#descriptor?.release()
    if (this.#walking === null) release()
    else void this.#walking.then(release, release)
  }
}

/**
 * Checks the whole file of a store before the program opens it.
 *
 * @throws DamagedFile; ChangingFile; the file system's error
 */
export function requireSoundFile(path: string): void {
  const check = FileCheck.begin(path, Number.POSITIVE_INFINITY)
  check.close()
  if (typeof check.damage === 'string') throw new DamagedFile(check.damage)
}

/** The result of a walk in a thread. */
export type WalkAnswer = { readonly damage: string | null } | 'changing'

/** Walks a file on behalf of another thread. */
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
 * Walks a file that may have writers. If damage is found and the file has changed, the walk is repeated, since
 * it may have seen pages of two moments. Only an unchanged file is reported as damaged; a file that changes
 * during every walk is reported as neither damaged nor sound.
 *
 * @param stateOf - a value that differs after every change of the file
 * @returns the damage; null if there is none
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
      if (pages === 'unusual journal') return 'its rollback journal was not written by sudoagent'
      if (pages === 'other page size') return 'the write-ahead log is that of another database'
      // Not a database: SQLite reports that, too, and reads nothing more.
      return pages === null ? null : findDamage(pages, follows)
    })
    if (damage === null) return null
    if (stateOf(task) === before) return damage
  }
  throw new ChangingFile()
}

/**
 * A value that changes with every operation of a writer: the headers and lengths of the side files, the file's
 * change counter and its length.
 */
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
