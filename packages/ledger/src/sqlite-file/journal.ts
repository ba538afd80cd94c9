// Reads the pages that SQLite would restore from a rollback journal, which exists if the last transaction was
// interrupted (https://sqlite.org/fileformat2.html#rollbackjournal).
//
//   header   d9 d5 05 f9 20 a1 63 d7, records, nonce, pages before the transaction, sector size, page size;
//            padded to the sector size
//   record   page number, the page as it was, checksum (nonce and every 200th byte)
//
// Rollback ends at the first invalid record. A journal whose header is all zeros is not rolled back. The first header
// determines the page size and the sector size. This code must read exactly the records that SQLite rolls back;
// otherwise the walked file would differ from the file that SQLite sees.
//
// A journal may end with the name of a super-journal, which SQLite uses for transactions across several files and
// would delete. This package does not write such journals.
import { fstatSync } from 'node:fs'
import { isPageSize, lockPageOf } from './format.js'
import { readAt, type SidePages } from './wal.js'

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')
const HEADER_BYTES = 28
const SECTOR_MIN = 32
const SECTOR_MAX = 65_536
const NOT_COUNTED = 0xffff_ffff

/**
 * @returns null if SQLite would not restore anything; `unusual` for a journal that this package cannot have written
 * and that SQLite must not roll back
 * @throws a file system error
 */
export function readJournal(fd: number): SidePages | 'unusual' | null {
  const { size } = fstatSync(fd)
  const header = Buffer.alloc(HEADER_BYTES)
  if (readAt(fd, header, 0) < HEADER_BYTES || header.compare(MAGIC, 0, 8, 0, 8) !== 0) return null
  const pages = header.readUInt32BE(16)
  const sector = header.readUInt32BE(20)
  const pageSize = header.readUInt32BE(24)
  const isSector = sector >= SECTOR_MIN && sector <= SECTOR_MAX && (sector & (sector - 1)) === 0
  if (!isPageSize(pageSize) || !isSector || namesSuperJournal(fd, size)) return 'unusual'
  if (sector > size) return null
  const offsets = new Map<number, number>()
  const lock = lockPageOf(pageSize)
  const record = Buffer.alloc(pageSize + 8)
  for (let at = 0; at + sector <= size && readAt(fd, header, at) === HEADER_BYTES; ) {
    if (header.compare(MAGIC, 0, 8, 0, 8) !== 0) break
    const records = header.readUInt32BE(8)
    const nonce = header.readUInt32BE(12)
    let next = at + sector
    for (let n = 0; n < records; n += 1, next += record.length) {
      if (readAt(fd, record, next) < record.length) return { offsets, pages, pageSize }
      const page = record.readUInt32BE(0)
      if (page === 0 || page === lock) return { offsets, pages, pageSize }
      if (record.readUInt32BE(4 + pageSize) !== sumOf(record.subarray(4, 4 + pageSize), nonce))
        return { offsets, pages, pageSize }
      if (!offsets.has(page)) offsets.set(page, next + 4)
    }
    if (records === NOT_COUNTED) break
    at = Math.ceil(next / sector) * sector
  }
  return { offsets, pages, pageSize }
}

/**
 * Whether a journal ends with the record of a super-journal: the file name, the length of the name, a checksum, and
 * the magic number.
 */
function namesSuperJournal(fd: number, size: number): boolean {
  const end = Buffer.alloc(16)
  if (size < 16 || readAt(fd, end, size - 16) < 16) return false
  return end.compare(MAGIC, 0, 8, 8, 16) === 0 && end.readUInt32BE(0) !== 0
}

function sumOf(page: Buffer, nonce: number): number {
  let sum = nonce
  for (let at = page.length - 200; at > 0; at -= 200) sum += page[at] ?? 0
  return sum >>> 0
}
