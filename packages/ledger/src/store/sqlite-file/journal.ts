// The pages that SQLite puts back from a rollback journal when it opens a database whose last transaction was cut off
// (https://sqlite.org/fileformat2.html#rollbackjournal).
//
//   header   d9 d5 05 f9 20 a1 63 d7, records, nonce, pages before the transaction, sector size, page size; filled up to the sector size
//   record   page number, the page as it was, checksum (nonce and every 200th byte)
//
// Playback ends at the first record that does not fit. A journal whose header was overwritten with zeros is over.
import { fstatSync } from 'node:fs'
import { isPageSize } from './format.js'
import { readAt, type SidePages } from './wal.js'

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')
const HEADER_BYTES = 28
const NOT_COUNTED = 0xffff_ffff

/** @returns null when nothing would be put back. @throws the file system's error */
export function readJournal(fd: number): SidePages | null {
  const { size } = fstatSync(fd)
  const header = Buffer.alloc(HEADER_BYTES)
  const offsets = new Map<number, number>()
  let pages: number | null = null
  let pageSize: number | null = null
  for (let at = 0; readAt(fd, header, at) === HEADER_BYTES && header.compare(MAGIC, 0, 8, 0, 8) === 0; ) {
    const sector = header.readUInt32BE(20)
    pageSize ??= header.readUInt32BE(24)
    pages ??= header.readUInt32BE(16)
    if (!isPageSize(pageSize) || sector < 32 || sector > 65_536) break
    const counted = header.readUInt32BE(8)
    const record = Buffer.alloc(pageSize + 8)
    const fits = Math.floor((size - at - sector) / record.length)
    const records = counted === NOT_COUNTED ? fits : Math.min(counted, fits)
    const nonce = header.readUInt32BE(12)
    let next = at + sector
    for (let n = 0; n < records; n += 1, next += record.length) {
      if (readAt(fd, record, next) < record.length) return { offsets, pages, pageSize }
      const page = record.readUInt32BE(0)
      if (page === 0 || record.readUInt32BE(4 + pageSize) !== sumOf(record.subarray(4, 4 + pageSize), nonce))
        return { offsets, pages, pageSize }
      if (!offsets.has(page)) offsets.set(page, next + 4)
    }
    if (records === 0) break
    at = Math.ceil(next / sector) * sector
  }
  return pages === null ? null : { offsets, pages, pageSize }
}

function sumOf(page: Buffer, nonce: number): number {
  let sum = nonce
  for (let at = page.length - 200; at > 0; at -= 200) sum += page[at] ?? 0
  return sum >>> 0
}
