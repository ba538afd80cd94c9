// Finds the entries of a call without reading all of them: `sudoagent_call` has the first 48 bits of SHA-256(request id) beside each position.
// Two calls may share them, and the table may lie, so the entry itself has the last word.
import type Database from 'better-sqlite3'
import { callNumber, POSITIONS_OF_CALL_MAX } from './call-number.js'

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
  const select = db.prepare(
    `SELECT entry FROM sudoagent_call WHERE call = ? ORDER BY entry LIMIT ${POSITIONS_OF_CALL_MAX}`,
  )
  return select
    .pluck()
    .all(callNumber(requestId))
    .filter((entry) => typeof entry === 'number')
}
