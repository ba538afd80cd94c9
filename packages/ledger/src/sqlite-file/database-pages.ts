// Reads the pages of a database from the file, the committed part of its write-ahead log, and its rollback journal.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { type FileShape, readShape } from './format.js'
import { readJournal } from './journal.js'
import type { Pages } from './page-tree.js'
import { readAt, readWal, type SidePages } from './wal.js'

/** Number of bytes per read of consecutive pages. */
const WINDOW_BYTES = 256 * 1024

/**
 * Maximum distance, in pages, at which a page counts as consecutive to the last page read. Pages of other kinds occur
 * between leaves.
 */
const FOLLOWS_PAGES = 8

/** An open side file and its pages. */
export interface SideFile {
  readonly fd: number
  readonly pages: SidePages
}

export class DatabasePages implements Pages {
  readonly shape: FileShape
  readonly count: number
  readonly #fd: number
  readonly #sides: readonly SideFile[]
  readonly #window: Buffer
  readonly #page: Buffer
  #windowStart = 0
  #windowEnd = 0
  #last = 0

  private constructor(fd: number, sides: readonly SideFile[], shape: FileShape, count: number) {
    this.#fd = fd
    this.#sides = sides
    this.shape = shape
    this.count = count
    this.#window = Buffer.alloc(Math.max(WINDOW_BYTES, shape.pageSize))
    this.#page = Buffer.alloc(shape.pageSize)
  }

  /**
   * @param fd - descriptor of the database file, which is not closed
   * @param sides - side files whose pages replace those of the database file; if several side files have a page, the
   *   first of these files takes precedence
   * @returns null if the file does not have a database header
   */
  static open(fd: number, sides: readonly SideFile[]): DatabasePages | 'other page size' | null {
    const first = Buffer.alloc(512)
    const inSide = findIn(sides, 1)
    const length = inSide === null ? readAt(fd, first, 0) : readAt(inSide.fd, first, inSide.at)
    const shape = readShape(first.subarray(0, length))
    if (shape === null) return null
    if (sides.some(({ pages }) => (pages.pageSize ?? shape.pageSize) !== shape.pageSize)) return 'other page size'
    const inFile = Math.floor(fstatSync(fd).size / shape.pageSize)
    const inSides = sides.find(({ pages }) => pages.pages !== null)?.pages.pages
    const count = inSides ?? Math.min(shape.pages ?? inFile, inFile)
    return count === 0 ? null : new DatabasePages(fd, sides, shape, count)
  }

  read(page: number): Buffer | null {
    const { pageSize } = this.shape
    const inSide = findIn(this.#sides, page)
    if (inSide !== null) return readAt(inSide.fd, this.#page, inSide.at) < pageSize ? null : this.#page
    const at = (page - 1) * pageSize
    if (at >= this.#windowStart && at + pageSize <= this.#windowEnd) {
      this.#last = page
      return this.#window.subarray(at - this.#windowStart, at - this.#windowStart + pageSize)
    }
    const follows = page > this.#last && page <= this.#last + FOLLOWS_PAGES
    this.#last = page
    if (!follows) return readAt(this.#fd, this.#page, at) < pageSize ? null : this.#page
    const length = readAt(this.#fd, this.#window, at)
    this.#windowStart = at
    this.#windowEnd = at + length
    return length < pageSize ? null : this.#window.subarray(0, pageSize)
  }
}

/** The offset of a page in a side file. */
function findIn(sides: readonly SideFile[], page: number): { readonly fd: number; readonly at: number } | null {
  for (const { fd, pages } of sides) {
    const at = pages.offsets.get(page)
    if (at !== undefined) return { fd, at }
  }
  return null
}

/**
 * Opens a side file for the duration of `use`; null if the file does not exist. Closing the descriptor is safe:
 * SQLite does not lock side files.
 *
 * @throws a file system error
 */
export function withSideFile<T>(path: string, use: (fd: number | null) => T): T {
  let fd: number | null = null
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  try {
    return use(fd)
  } finally {
    if (fd !== null) closeSync(fd)
  }
}

/**
 * Reads the pages of a database as SQLite would see them. SQLite rolls a journal back into the file, and then applies
 * the log.
 *
 * @param use - called with `unusual journal` for a journal that SQLite must not roll back
 */
export function withPages<T>(
  fd: number,
  path: string,
  use: (pages: ReturnType<typeof DatabasePages.open> | 'unusual journal') => T,
): T {
  return withSideFile(`${path}-wal`, (wal) =>
    withSideFile(`${path}-journal`, (journal) => {
      const played = journal === null ? null : readJournal(journal)
      if (played === 'unusual') return use('unusual journal')
      const sides: SideFile[] = wal === null ? [] : [{ fd: wal, pages: readWal(wal) }]
      if (journal !== null && played !== null) sides.push({ fd: journal, pages: played })
      return use(DatabasePages.open(fd, sides))
    }),
  )
}
