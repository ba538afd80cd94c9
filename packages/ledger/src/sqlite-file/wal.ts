// Reads the committed pages of a write-ahead log, which replace pages of the database file
// (https://sqlite.org/fileformat2.html#walformat).
//
//   header   32 bytes  37 7f 06 82|83, version 3007000, page size, checkpoint number, salt (8), checksum (8)
//   frame    24 bytes  page number, pages after a commit or 0, salt (8), checksum (8), then the page
//
// A log ends at the first frame with a wrong salt or checksum: that frame and later frames are incomplete or left
// over from an earlier log. Only valid frames up to the last commit are used. A log that is empty, is too short, or
// lacks the magic number has no frames. None of these cases counts as damage.
import { readSync } from 'node:fs'
import { isPageSize } from './format.js'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f_0682
const VERSION = 3_007_000

/** Pages that replace the pages of the database file. */
export interface SidePages {
  /** Offset of the last committed version of each page in the log. */
  readonly offsets: ReadonlyMap<number, number>
  /** Number of pages in the database after the last commit; null without a commit. */
  readonly pages: number | null
  readonly pageSize: number | null
}

const NOTHING: SidePages = { offsets: new Map(), pages: null, pageSize: null }

/** Reads a whole log. Memory is proportional to the number of pages in the log. @throws a file system error */
export function readWal(fd: number): SidePages {
  const header = Buffer.alloc(HEADER_BYTES)
  if (readAt(fd, header, 0) < HEADER_BYTES) return NOTHING
  const magic = header.readUInt32BE(0)
  const pageSize = header.readUInt32BE(8)
  if ((magic & ~1) !== MAGIC || header.readUInt32BE(4) !== VERSION || !isPageSize(pageSize)) return NOTHING
  const sum = new Checksum((magic & 1) === 1)
  sum.add(header, 0, 24)
  if (!sum.is(header, 24)) return NOTHING

  const offsets = new Map<number, number>()
  const uncommitted = new Map<number, number>()
  let pages: number | null = null
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize)
  for (let at = HEADER_BYTES; readAt(fd, frame, at) === frame.length; at += frame.length) {
    const page = frame.readUInt32BE(0)
    if (page === 0 || frame.compare(header, 16, 24, 8, 16) !== 0) break
    sum.add(frame, 0, 8)
    sum.add(frame, FRAME_HEADER_BYTES, frame.length)
    if (!sum.is(frame, 16)) break
    uncommitted.set(page, at + FRAME_HEADER_BYTES)
    const committed = frame.readUInt32BE(4)
    if (committed === 0) continue
    pages = committed
    for (const [number, offset] of uncommitted) offsets.set(number, offset)
    uncommitted.clear()
  }
  return { offsets, pages, pageSize: pages === null ? null : pageSize }
}

/** Reads until the buffer is full or the file ends. */
export function readAt(fd: number, into: Buffer, position: number): number {
  let length = 0
  while (length < into.length) {
    const read = readSync(fd, into, length, into.length - length, position + length)
    if (read === 0) break
    length += read
  }
  return length
}

/** Updates the checksum of the log: two running sums over pairs of 32-bit words. */
class Checksum {
  readonly #isBigEndian: boolean
  #first = 0
  #second = 0

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian
  }

  add(bytes: Buffer, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const isLittle = !this.#isBigEndian
    for (let at = from; at < to; at += 8) {
      this.#first = (this.#first + view.getUint32(at, isLittle) + this.#second) | 0
      this.#second = (this.#second + view.getUint32(at + 4, isLittle) + this.#first) | 0
    }
  }

  is(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#first && bytes.readInt32BE(at + 4) === this.#second
  }
}
