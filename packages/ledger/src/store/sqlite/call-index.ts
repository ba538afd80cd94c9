// Finds the entries of a call without reading all entries. For each full tile, the table `sudoagent_calls` contains
// the first 32 bits of SHA-256(request id) for every entry. Two calls may have the same bits, and the table is
// untrusted, so each result is checked against the entry itself.
//
//   tile 0:  00000000 5f1b09c4 5f1b09c4 …  the genesis has no call; entries 2 and 3 belong to the same call
import { TILE_WIDTH } from '@sudoagent/crypto/tree'
import type Database from 'better-sqlite3'
import { requestIdOf } from '../../entry/control.js'
import { parseLine } from '../../entry/line.js'
import { LINE_BYTES_MAX } from '../../limits.js'
import { callNumber, POSITIONS_OF_CALL_MAX } from '../../rules/call-number.js'
import type { ReadDatabase } from './read-database.js'

const NUMBER_BYTES = 4

/**
 * Number of characters at the end of a line that contain the request id if it is a UUID and no member of a later
 * version follows.
 */
const TAIL_CHARS = 96
const TAIL = /"request_id":"([^"\\]{1,64})","schema_version":"2\.0"\}$/

const SELECT_BEHIND = `SELECT id, CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN substr(entry_json, -${TAIL_CHARS}) END
  FROM ledger NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?`

/** The first 32 bits of a call number, as stored in the table. */
function shortNumber(requestId: string): Uint8Array {
  const bytes = Buffer.alloc(NUMBER_BYTES)
  bytes.writeUInt32BE(Math.floor(callNumber(requestId) / 2 ** 16))
  return bytes
}

/** Records the calls of the entries in a full tile, in the transaction that completes the tile. */
export class CallWriter {
  readonly #tails: Database.Statement
  readonly #line: Database.Statement
  readonly #put: Database.Statement

  constructor(db: Database.Database) {
    this.#tails = db
      .prepare(
        `SELECT substr(entry_json, -${TAIL_CHARS}) FROM ledger NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${TILE_WIDTH}`,
      )
      .pluck()
    this.#line = db
      .prepare(
        `SELECT CAST(entry_json AS BLOB) FROM ledger NOT INDEXED WHERE id = ? AND octet_length(entry_json) <= ${LINE_BYTES_MAX}`,
      )
      .pluck()
    this.#put = db.prepare('INSERT OR REPLACE INTO sudoagent_calls (tile, calls) VALUES (?, ?)')
  }

  write(tile: number): void {
    const first = tile * TILE_WIDTH + 1
    const calls = Buffer.alloc(TILE_WIDTH * NUMBER_BYTES)
    for (const [n, tail] of this.#tails.all(first, first + TILE_WIDTH - 1).entries()) {
      const requestId = TAIL.exec(String(tail))?.[1] ?? this.#readRequestId(first + n)
      if (requestId === null) continue
      calls.set(shortNumber(requestId), n * NUMBER_BYTES)
    }
    this.#put.run(tile, calls)
  }

  #readRequestId(position: number): string | null {
    const line = this.#line.get(position)
    const parsed = line instanceof Uint8Array ? parseLine(line) : null
    return parsed?.ok ? requestIdOf(parsed.entry) : null
  }
}

/**
 * Returns the positions of entries that may belong to a call, in order; null if the table does not cover every full
 * tile.
 *
 * @param after - entries up to this position need not be found
 */
export function positionsOfCall(db: ReadDatabase, requestId: string, after = 0): readonly number[] | null {
  const number = shortNumber(requestId)
  const positions: number[] = []
  const first = Math.floor(after / TILE_WIDTH)
  let tiles = first
  // The query does not have a condition, so that rows are read one by one and the first invalid row ends the search.
  const select = `SELECT tile, CASE WHEN typeof(calls) = 'blob' AND octet_length(calls) = ${TILE_WIDTH * NUMBER_BYTES} THEN calls END
    FROM sudoagent_calls NOT INDEXED WHERE tile >= ? ORDER BY tile`
  // Rows are read as arrays and searched as bytes. This takes a few milliseconds for a million entries, half as long
  // as with objects.
  for (const [tile, calls] of db.prepare(select).raw().iterate(first) as IterableIterator<
    readonly [number, Buffer | null]
  >) {
    if (tile !== tiles || calls === null) return null
    collect(calls, number, tiles * TILE_WIDTH, positions)
    tiles += 1
    if (positions.length >= POSITIONS_OF_CALL_MAX) break
  }
  // Searches the incomplete tile, which has at most 255 entries if the table is complete. Only the end of each line
  // is read.
  const behind = db
    .prepare(SELECT_BEHIND)
    .raw()
    .all(Math.max(after, tiles * TILE_WIDTH), TILE_WIDTH) as [number, unknown][]
  if (behind.length === TILE_WIDTH) return null
  const mayBe = behind.filter(([, tail]) => (TAIL.exec(String(tail))?.[1] ?? requestId) === requestId)
  return [...positions.slice(0, POSITIONS_OF_CALL_MAX), ...mayBe.map(([id]) => id)]
}

function collect(calls: Buffer, number: Uint8Array, before: number, positions: number[]): void {
  for (let at = calls.indexOf(number); at !== -1; at = calls.indexOf(number, at + 1)) {
    // Skips a match that spans two adjacent numbers.
    if (at % NUMBER_BYTES === 0) positions.push(before + at / NUMBER_BYTES + 1)
  }
}
