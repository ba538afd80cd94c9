// Finds the entries of a call without reading all of them: `sudoagent_call` has the first 48 bits of SHA-256(request id) beside each position.
// Two calls may share them, and the table may lie, so the entry itself has the last word.
import { sha256 } from '@sudoagent/crypto'
import type Database from 'better-sqlite3'

/** A call has two entries. More share its number by chance alone, or because somebody made them; so many are looked at. */
const POSITIONS_MAX = 64

function callNumber(requestId: string): number {
  const hash = sha256(new TextEncoder().encode(requestId))
  return (
    new DataView(hash.buffer, hash.byteOffset).getUint16(0) * 2 ** 32 +
    new DataView(hash.buffer, hash.byteOffset).getUint32(2)
  )
}

/** Notes which call an entry is about, inside the transaction that writes the entry. */
export class CallWriter {
  readonly #put: Database.Statement

  constructor(db: Database.Database) {
    this.#put = db.prepare('INSERT OR REPLACE INTO sudoagent_call (call, entry) VALUES (?, ?)')
  }

  write(requestId: string | null, position: number): void {
    if (requestId !== null) this.#put.run(callNumber(requestId), position)
  }
}

/** Positions of entries that may be about a call, in order. */
export function positionsOfCall(db: Database.Database, requestId: string): readonly number[] {
  const select = db.prepare(`SELECT entry FROM sudoagent_call WHERE call = ? ORDER BY entry LIMIT ${POSITIONS_MAX}`)
  return select
    .pluck()
    .all(callNumber(requestId))
    .filter((entry) => typeof entry === 'number')
}
