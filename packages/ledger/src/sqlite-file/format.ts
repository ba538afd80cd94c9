// Implements the part of the SQLite file format that defines the pointers between pages
// (https://sqlite.org/fileformat2.html).
//
// A file consists of pages of equal size, numbered from 1. Page 1 begins with a header of 100 bytes:
//
//   offset  bytes  meaning
//        0     16  "SQLite format 3\0"
//       16      2  page size; 1 means 65536
//       20      1  unused bytes at the end of each page
//       24      4  change counter; 28: pages; 92: the change counter for which the number of pages is valid
//       32      4  first trunk page of the free list
//       52      4  not 0: auto-vacuum, so there are pointer-map pages
//
// A table or an index is a tree of pages. The header of a page (at offset 100 on page 1) contains the page type at +0
// (2: interior page of an index, 5: interior page of a table, 10: leaf of an index, 13: leaf of a table), the number
// of cells at +3 in two bytes and, on interior pages, the last child at +8 in four bytes. Then two bytes for each
// cell give its offset in the page:
//
//   table leaf      payload size, row id, payload, first overflow page   05 01 02 …        5 bytes of row 1
//   table interior  child, row id                                        00 00 00 07 64    rows up to 100: page 7
//   index leaf      payload size, payload, first overflow page
//   index interior  child, payload size, payload, first overflow page
//
// A varint has 7 bits in each byte, most significant bits first. Payload that does not fit into its cell continues in
// a chain of overflow pages, each of which begins with the four-byte number of the next page.

export const PAGE_SIZE_MIN = 512
export const PAGE_SIZE_MAX = 65_536

const HEADER_BYTES = 100

/** Offset of the lock bytes. SQLite never uses the page that contains them. */
const LOCK_BYTE = 0x4000_0000

export const TABLE_LEAF = 13
export const TABLE_INTERIOR = 5
export const INDEX_LEAF = 10
export const INDEX_INTERIOR = 2

/** File properties from the header. */
export interface FileShape {
  readonly pageSize: number
  /** Page size without the reserved bytes at the end of each page. */
  readonly usable: number
  /** First trunk page of the free list; 0 if it is empty. */
  readonly freeList: number
  readonly hasPointerMap: boolean
  /** Number of pages as stated in the header; null if that number is not valid. */
  readonly pages: number | null
  readonly changeCounter: number
}

/** Reads the header; null if it is not a database header. */
export function readShape(page1: Buffer): FileShape | null {
  if (page1.length < HEADER_BYTES || page1.toString('latin1', 0, 16) !== 'SQLite format 3\0') return null
  const size = page1.readUInt16BE(16)
  const pageSize = size === 1 ? PAGE_SIZE_MAX : size
  const usable = pageSize - (page1[20] ?? 0)
  if (!isPageSize(pageSize) || usable < 480) return null
  const changeCounter = page1.readUInt32BE(24)
  const pages = page1.readUInt32BE(28)
  return {
    pageSize,
    usable,
    freeList: page1.readUInt32BE(32),
    hasPointerMap: page1.readUInt32BE(52) !== 0,
    pages: pages > 0 && changeCounter === page1.readUInt32BE(92) ? pages : null,
    changeCounter,
  }
}

export const isPageSize = (size: number): boolean =>
  size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && (size & (size - 1)) === 0

/** The page that contains the lock bytes. In a file of less than 1 GiB, this page number is beyond the last page. */
export const lockPageOf = (pageSize: number): number => LOCK_BYTE / pageSize + 1

/** The pointer-map pages of an auto-vacuum file, in order. */
export function* pointerMapPages({ usable, pageSize }: FileShape, pages: number): Generator<number> {
  const every = Math.floor(usable / 5) + 1
  const lock = lockPageOf(pageSize)
  for (let page = 2; page <= pages; page += every) yield page === lock ? page + 1 : page
}

/** Number of payload bytes in the cell itself. Overflow pages contain the rest, `usable - 4` bytes each. */
export function localBytes(payload: number, usable: number, isTableLeaf: boolean): number {
  const max = isTableLeaf ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23
  if (payload <= max) return payload
  const min = Math.floor(((usable - 12) * 32) / 255) - 23
  const some = min + ((payload - min) % (usable - 4))
  return some <= max ? some : min
}

/** Reads consecutive varints. */
export class Varints {
  #bytes: Buffer = Buffer.alloc(0)
  at = 0

  begin(bytes: Buffer, at: number): void {
    this.#bytes = bytes
    this.at = at
  }

  /** Reads the next number, which is signed, like row ids, and exact up to 2^53; NaN after the end of the bytes. */
  next(): number {
    const bytes = this.#bytes
    let value = 0
    // Almost all numbers have at most four bytes, whose 28 bits are a small integer.
    for (let n = 0; n < 4; n += 1) {
      const byte = bytes[this.at]
      if (byte === undefined) return Number.NaN
      this.at += 1
      value = (value << 7) | (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return this.#afterFour(value)
  }

  /** The 64 bits are read in two parts, so that small negative numbers are exact. */
  #afterFour(high: number): number {
    let value = 0
    for (let n = 4; n < 8; n += 1) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) return Number.NaN
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return high * 128 ** (n - 3) + value
    }
    const last = this.#bytes[this.at++]
    if (last === undefined) return Number.NaN
    return (high >= 2 ** 27 ? high - 2 ** 28 : high) * 2 ** 36 + value * 256 + last
  }
}
