// Walks the pages of a database before SQLite opens it. SQLite trusts the page pointers. If many pages point to the
// same page, SQLite reads that page many times, and a file of a few kilobytes can keep SQLite busy forever in a call
// that cannot be interrupted. This walk marks each page in a bitmap. A page that is reached twice is damage, so the
// work is proportional to the length of the file.
import {
  type FileShape,
  INDEX_INTERIOR,
  INDEX_LEAF,
  localBytes,
  lockPageOf,
  pointerMapPages,
  TABLE_INTERIOR,
  TABLE_LEAF,
  Varints,
} from './format.js'
import { readSchemaRoot, SCHEMA_ROW_BYTES, type SchemaRoot } from './schema-roots.js'

/** The pages of a database as SQLite would see them. */
export interface Pages {
  readonly shape: FileShape
  readonly count: number
  /** The bytes of a page, valid until the next call; null if the file ends before the page. */
  read(page: number): Buffer | null
}

/** A description of the damage to a file. */
class Damage extends Error {}

/**
 * Walks all pages that can be reached from the schema.
 *
 * @param follows - selects tables and indexes by name. Default: all. The schema and the free list are always
 * walked.
 * @returns null if every page has exactly one parent; otherwise the damage
 */
export function findDamage(pages: Pages, follows?: (name: string) => boolean): string | null {
  const tree = new PageTree(pages)
  try {
    tree.walkSchema(follows ?? (() => true))
    tree.walkFreeList()
    return null
  } catch (error) {
    if (error instanceof Damage) return error.message
    throw error
  }
}

class PageTree {
  readonly #pages: Pages
  readonly #seen: Uint8Array
  readonly #usable: number
  readonly #varints = new Varints()

  constructor(pages: Pages) {
    this.#pages = pages
    this.#usable = pages.shape.usable
    this.#seen = new Uint8Array(Math.ceil((pages.count + 1) / 8))
  }

  walkSchema(follows: (name: string) => boolean): void {
    const { shape, count } = this.#pages
    const lock = lockPageOf(shape.pageSize)
    if (lock <= count) this.#take(lock, 'the page with the lock bytes')
    if (shape.hasPointerMap)
      for (const page of pointerMapPages(shape, count)) if (page <= count) this.#take(page, 'a pointer map')
    const roots: SchemaRoot[] = []
    this.#walkTree(1, true, (row) => {
      const root = readSchemaRoot(row)
      if (root === undefined) throw new Damage('a row of the schema is invalid')
      if (root !== null) roots.push(root)
    })
    for (const { name, page } of roots) if (follows(name)) this.#walkTree(page, null)
  }

  walkFreeList(): void {
    for (let trunk = this.#pages.shape.freeList; trunk !== 0; ) {
      this.#take(trunk, 'the free list')
      const page = this.#read(trunk)
      const next = page.readUInt32BE(0)
      const leaves = page.readUInt32BE(4)
      if (leaves > this.#usable / 4 - 2) throw new Damage(`page ${trunk} of the free list has too many entries`)
      for (let n = 0; n < leaves; n += 1) this.#take(page.readUInt32BE(8 + 4 * n), 'the free list')
      trunk = next
    }
  }

  /**
   * Walks a table or an index from its root. Children are visited in key order.
   *
   * @param isTable - whether the tree is a table; null if the type of the root page determines this
   * @param onRow - called with the first bytes of each table row
   */
  #walkTree(root: number, isTable: boolean | null, onRow?: (row: Buffer) => void): void {
    const stack = [root]
    let kind = isTable
    let lastId = Number.NEGATIVE_INFINITY
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      this.#take(number, 'a tree')
      const page = this.#read(number)
      const start = number === 1 ? 100 : 0
      const type = page[start] ?? 0
      if (type !== TABLE_LEAF && type !== TABLE_INTERIOR && type !== INDEX_LEAF && type !== INDEX_INTERIOR)
        throw new Damage(`page ${number} is not a b-tree page`)
      kind ??= type === TABLE_LEAF || type === TABLE_INTERIOR
      if (kind !== (type === TABLE_LEAF || type === TABLE_INTERIOR))
        throw new Damage(`page ${number} of a ${kind ? 'table' : 'index'} belongs to ${kind ? 'an index' : 'a table'}`)
      const isLeaf = type === TABLE_LEAF || type === INDEX_LEAF
      const cells = page.readUInt16BE(start + 3)
      const pointers = start + (isLeaf ? 8 : 12)
      if (pointers + 2 * cells > this.#usable) throw new Damage(`page ${number} has more cells than fit`)
      if (cells === 0 && number !== root) throw new Damage(`page ${number} is empty`)
      if (type === TABLE_LEAF) lastId = this.#tableLeaf(page, number, pointers, cells, lastId, onRow)
      else if (!isLeaf) this.#interior(page, number, start, pointers, cells, type, stack)
      else this.#indexLeaf(page, number, pointers, cells)
    }
  }

  /** @returns the row id of the last row */
  #tableLeaf(
    page: Buffer,
    number: number,
    pointers: number,
    cells: number,
    before: number,
    onRow?: (row: Buffer) => void,
  ): number {
    const varints = this.#varints
    let lastId = before
    // Overflow pages are read later, because the current page is valid only until the next read.
    const chains: number[] = []
    const rows: { readonly payload: number; readonly local: Buffer; readonly overflow: number }[] = []
    for (let n = 0; n < cells; n += 1) {
      varints.begin(page, this.#cellAt(page, pointers, n, number))
      const payload = varints.next()
      const id = varints.next()
      // Ids beyond the precision of a double may compare as equal.
      if (!(id > lastId) && !(id >= lastId && Math.abs(id) >= 2 ** 53))
        throw new Damage(`the row ids of page ${number} are out of order`)
      lastId = id
      const overflow = this.#overflowOf(page, number, varints.at, payload, true)
      if (onRow === undefined) {
        if (overflow !== 0) chains.push(payload, overflow)
      } else {
        const local = localBytes(payload, this.#usable, true)
        rows.push({ payload, local: Buffer.from(page.subarray(varints.at, varints.at + local)), overflow })
      }
    }
    for (let n = 0; n < chains.length; n += 2) this.#chain(chains[n] ?? 0, chains[n + 1] ?? 0, true, number)
    for (const { payload, local, overflow } of rows) {
      const parts = [local]
      if (overflow !== 0) this.#chain(payload, overflow, true, number, parts)
      onRow?.(Buffer.concat(parts))
    }
    return lastId
  }

  #indexLeaf(page: Buffer, number: number, pointers: number, cells: number): void {
    const chains: number[] = []
    for (let n = 0; n < cells; n += 1) {
      this.#varints.begin(page, this.#cellAt(page, pointers, n, number))
      const payload = this.#varints.next()
      const overflow = this.#overflowOf(page, number, this.#varints.at, payload, false)
      if (overflow !== 0) chains.push(payload, overflow)
    }
    for (let n = 0; n < chains.length; n += 2) this.#chain(chains[n] ?? 0, chains[n + 1] ?? 0, false, number)
  }

  #interior(
    page: Buffer,
    number: number,
    start: number,
    pointers: number,
    cells: number,
    type: number,
    stack: number[],
  ): void {
    const children: number[] = []
    const chains: number[] = []
    for (let n = 0; n < cells; n += 1) {
      const at = this.#cellAt(page, pointers, n, number)
      if (at + 4 > this.#usable) throw new Damage(`a cell of page ${number} is not in the page`)
      children.push(page.readUInt32BE(at))
      if (type !== INDEX_INTERIOR) continue
      this.#varints.begin(page, at + 4)
      const payload = this.#varints.next()
      const overflow = this.#overflowOf(page, number, this.#varints.at, payload, false)
      if (overflow !== 0) chains.push(payload, overflow)
    }
    stack.push(page.readUInt32BE(start + 8))
    for (let n = children.length - 1; n >= 0; n -= 1) stack.push(children[n] ?? 0)
    // In a sound tree, a page is never on the stack twice.
    if (stack.length > this.#pages.count + 1) throw new Damage(`page ${number} leads to more pages than the file has`)
    for (let n = 0; n < chains.length; n += 2) this.#chain(chains[n] ?? 0, chains[n + 1] ?? 0, false, number)
  }

  #cellAt(page: Buffer, pointers: number, n: number, number: number): number {
    const at = page.readUInt16BE(pointers + 2 * n)
    if (at < pointers || at >= this.#usable) throw new Damage(`a cell of page ${number} is not in the page`)
    return at
  }

  /** The first overflow page of a payload that begins at `at`; 0 if the payload fits into its cell. */
  #overflowOf(page: Buffer, number: number, at: number, payload: number, isTableLeaf: boolean): number {
    const local = payload >= 0 ? localBytes(payload, this.#usable, isTableLeaf) : Number.NaN
    const end = at + local + (local < payload ? 4 : 0)
    if (!(end <= this.#usable)) throw new Damage(`a cell of page ${number} is not in the page`)
    return local < payload ? page.readUInt32BE(at + local) : 0
  }

  #chain(payload: number, first: number, isTableLeaf: boolean, owner: number, parts?: Buffer[]): void {
    const each = this.#usable - 4
    let left = payload - localBytes(payload, this.#usable, isTableLeaf)
    let kept = 0
    for (let number = first; left > 0; left -= each) {
      this.#take(number, `a row of page ${owner}`)
      const page = this.#read(number)
      if (parts !== undefined && kept < SCHEMA_ROW_BYTES) {
        parts.push(Buffer.from(page.subarray(4, 4 + Math.min(left, each))))
        kept += each
      }
      number = page.readUInt32BE(0)
    }
  }

  /** Marks a page as used. A second use is damage. */
  #take(number: number, by: string): void {
    if (number < 1 || number > this.#pages.count)
      throw new Damage(`${by} leads to page ${number} of ${this.#pages.count}`)
    const byte = this.#seen[number >> 3] ?? 0
    const bit = 1 << (number & 7)
    if ((byte & bit) !== 0) throw new Damage(`page ${number} is used twice`)
    this.#seen[number >> 3] = byte | bit
  }

  #read(number: number): Buffer {
    const page = this.#pages.read(number)
    if (page === null) throw new Damage(`the file ends before page ${number}`)
    return page
  }
}
