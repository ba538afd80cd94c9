// Reads the rows of a SQLite ledger in batches. The file may be hostile, so each row that SQLite returns is checked.

import type { StoredLine } from '../../entry/stored-line.js'
import { LedgerError } from '../../error.js'
import { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX } from '../../limits.js'
import type { Place } from '../../port/reader.js'
import type { ReadDatabase } from './read-database.js'

const NOTHING = new Uint8Array(0)

export interface Row {
  readonly id: number
  readonly type: string
  /** Null if the column is null. */
  readonly bytes: number | null
  readonly entry_json: Uint8Array | null
  readonly entry_hash: unknown
  readonly prev_entry_hash: unknown
}

// CAST AS BLOB returns the bytes as stored. If the value were read as text, the SQLite driver would replace invalid
// UTF-8 with U+FFFD, which could hide a changed byte. The length is checked first, so that an oversized row is never
// loaded.
const PAGE = `SELECT id, typeof(entry_json) AS type, octet_length(entry_json) AS bytes,
  CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN CAST(entry_json AS BLOB) END AS entry_json,
  CASE WHEN octet_length(entry_hash) <= 256 THEN entry_hash END AS entry_hash,
  CASE WHEN octet_length(prev_entry_hash) <= 256 THEN prev_entry_hash ELSE prev_entry_hash IS NOT NULL OR NULL END AS prev_entry_hash
  FROM ledger NOT INDEXED WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`

const ID_MAX = 2n ** 63n - 1n

/** Reads rows in batches. */
export class RowPages {
  readonly #db: ReadDatabase
  #bytesLeft = Number.POSITIVE_INFINITY

  constructor(db: ReadDatabase) {
    this.#db = db
  }

  /**
   * Limits all further reads: in a file with shared pages, the total length of the rows may be any multiple of the
   * file length.
   *
   * @param bytes - maximum total length of all rows
   */
  limit(bytes: number): void {
    this.#bytesLeft = bytes
  }

  /**
   * Returns the rows after `after`, up to the batch limits in entries and bytes, or up to damage, which the next call
   * reports.
   */
  page(after: number, to: Place | null, limit = BATCH_LINES): readonly Row[] {
    const rows: Row[] = []
    try {
      this.#readPage(after, to ?? ID_MAX, limit, rows)
    } catch (error) {
      if (rows.length === 0) throw error
    }
    return rows
  }

  #readPage(after: number, to: number | bigint, limit: number, rows: Row[]): void {
    let bytes = 0
    let previous = after
    for (const row of this.#db.prepare(PAGE).iterate(after, to, limit) as IterableIterator<Row>) {
      if (!Number.isSafeInteger(row.id) || row.id <= previous)
        throw new LedgerError('LEDGER_DAMAGED', 'row ids are out of order')
      previous = row.id
      this.#bytesLeft -= row.bytes ?? 0
      if (this.#bytesLeft < 0) throw new LedgerError('LEDGER_DAMAGED', 'the rows have more bytes than the file')
      rows.push(row)
      bytes += row.entry_json?.length ?? 0
      if (bytes >= BATCH_BYTES_MAX) return
    }
  }
}

/** Converts a row to the stored line. `position` is 1-based. */
export function asLine(
  { id, type, bytes, entry_json: json, entry_hash: entryHash, prev_entry_hash: prevEntryHash }: Row,
  position: number,
): StoredLine {
  const columns = { id, entryHash, prevEntryHash }
  if (type !== 'text') return { position, bytes: NOTHING, columns, fault: 'COLUMN_MISMATCH' }
  if (json === null)
    return {
      position,
      bytes: NOTHING,
      columns,
      fault: (bytes ?? 0) > LINE_BYTES_MAX ? 'LINE_TOO_LONG' : 'COLUMN_MISMATCH',
    }
  return { position, bytes: json, columns }
}
