// Checks an untrusted database file before SQLite opens it, following the SQLite file format
// (https://sqlite.org/fileformat2.html, summarised in `format.ts`).
//
// SQLite trusts the page pointers in a file. If many pointers lead to the same page, a file of a few kilobytes can
// keep SQLite busy forever. `page-tree.ts` walks the pages from the schema and fails at the second pointer to any
// page:
//
//   page 1 (schema) → 2, 5      page 2 → 3, 4      page 5 → 4      →  "page 4 is used twice"
//
// The walk sees the pages as SQLite would, including the pages in the rollback journal (`journal.ts`) and in the
// write-ahead log (`wal.ts`). `objects.ts` then lists triggers, views and other objects that the file declares.
//
// In a file of up to 32 MiB, all trees are walked before SQLite opens the file. In a larger file, a thread walks the
// tables that are read by key while their first rows are read. If a walk finds damage but a writer changed the file
// meanwhile, the walk is repeated.
import { fstatSync, readSync, statSync } from 'node:fs'
import { SudoAgentError } from '@sudoagent/crypto'
import { followLinks } from '../file.js'
import { withPages, withSideFile } from './database-pages.js'
import { findDamage } from './page-tree.js'
import { openShared, type SharedDescriptor } from './shared-descriptor.js'
import { readAt } from './wal.js'

/**
 * Maximum length of a file that is walked completely before SQLite opens the file, in bytes. Such a walk takes about
 * 20 ms.
 */
const WALKED_AT_ONCE_BYTES = 32 * 1024 * 1024

/** Minimum number of attempts to walk a changing file, and the time limit for further attempts, in milliseconds. */
const TRIES_MIN = 4
const TRIES_MS = 3_000

/** Pause between attempts, in milliseconds, so that a writer can finish. */
const PAUSE_MS = 20

/**
 * Ledger tables that are read row by row and by key, with a limit on the length of a row. The depth of a tree (20
 * pages) limits the cost of each read, even if many pointers lead to the same page. All other tables in a large file
 * are walked before SQLite opens the file: SQLite reads some tables by itself (`sqlite_sequence`, `sqlite_stat1`),
 * and a list of these could be incomplete.
 */
const READ_BY_KEY: ReadonlySet<string> = new Set(['ledger', 'sudoagent_tile'])

/**
 * The input of a thread that walks a file. The thread must not open the file itself, because closing the file would
 * drop SQLite's locks.
 */
export interface WalkTask {
  readonly fd: number
  readonly path: string
}

/** The error for a database file whose pages do not form trees, so that SQLite must not open the file. */
export class DamagedFile extends SudoAgentError<'FILE_DAMAGED'> {
  override readonly name = 'DamagedFile'

  constructor(message: string) {
    super('FILE_DAMAGED', message, { hint: 'keep the file as it is, and compare it with a backup' })
  }
}

/** The error for a file that looked damaged, but that changed during every walk, so that the damage is not certain. */
export class ChangingFile extends SudoAgentError<'FILE_CHANGES'> {
  override readonly name = 'ChangingFile'

  constructor() {
    super('FILE_CHANGES', 'the file kept changing, and its pages never formed a valid database', {
      hint: 'stop the programs that write to the file, and try again',
    })
  }
}

export class FileCheck {
  /** The damage; null if there is none, undefined while the result is unknown. */
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
   * Checks the schema and, if the file is not large, the whole file.
   *
   * @param name - path of the file, or of a symbolic link to the file
   * @param wholeUpTo - maximum length of a file that is walked completely now, in bytes
   * @throws DamagedFile if SQLite must not open the file; ChangingFile; a file system error
   */
  static begin(name: string, wholeUpTo = WALKED_AT_ONCE_BYTES): FileCheck {
    const path = followLinks(name)
    // Opening a pipe would block until the other end is opened. SQLite itself refuses other kinds of files.
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
   * Walks the rest of the file, once. Called while a connection has a snapshot, which prevents writers from changing
   * the walked pages.
   *
   * @param walk - walks the file in a different thread; null if the thread failed
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

  /** If a walk is in progress, the file stays open until the walk ends. */
  close(): void {
    const release = (): void => this.#descriptor?.release()
    if (this.#walking === null) release()
    else void this.#walking.then(release, release)
  }
}

/**
 * Checks the whole file of a store before the program opens the file.
 *
 * @throws DamagedFile; ChangingFile; a file system error
 */
export function requireSoundFile(path: string): void {
  const check = FileCheck.begin(path, Number.POSITIVE_INFINITY)
  check.close()
  if (typeof check.damage === 'string') throw new DamagedFile(check.damage)
}

/** The result of a walk in a thread. */
export type WalkAnswer = { readonly damage: string | null } | 'changing'

/** Walks a file on behalf of a different thread. */
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
 * Walks a file that may have writers. If the walk finds damage but the file has changed, the walk is repeated,
 * because the previous walk may have read an inconsistent mix of pages. Only an unchanged file is reported as
 * damaged; for a file that changes during every walk, the result is ChangingFile.
 *
 * @param stateOf - a value that differs after every change to the file
 * @returns the damage; null if there is none
 * @throws ChangingFile; a file system error
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
      if (pages === 'other page size') return 'the write-ahead log belongs to a different database'
      // The file is not a database. SQLite detects that, too, and does not read further.
      return pages === null ? null : findDamage(pages, follows)
    })
    if (damage === null) return null
    if (stateOf(task) === before) return damage
  }
  throw new ChangingFile()
}

/**
 * Returns a value that changes with every write: the headers and lengths of the side files, and the file's length and
 * change counter.
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
