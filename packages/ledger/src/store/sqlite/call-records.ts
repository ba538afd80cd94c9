// The recorded calls of a SQLite ledger, read under the write lock.
import type Database from 'better-sqlite3'
import { requestIdOf } from '../../entry/control.js'
import { parseLine } from '../../entry/line.js'
import { LedgerError } from '../../error.js'
import { LINE_BYTES_MAX } from '../../limits.js'
import type { OpenQuestion } from '../../standing/questions.js'
import { type CallRecords, NOT_RECORDED, type RecordedCall } from '../../write/call-records.js'
import { withEntry } from '../call-book.js'
import { positionsOfCall } from './call-index.js'
import type { SqliteState } from './state.js'

/** Reads the state of an open database; used in a transaction, after `SqliteState.read`. */
export class SqliteRecords implements CallRecords {
  readonly #db: Database.Database
  readonly #state: SqliteState
  readonly #lineAt: Database.Statement

  constructor(db: Database.Database, state: SqliteState) {
    this.#db = db
    this.#state = state
    this.#lineAt = db
      .prepare(
        `SELECT CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN CAST(entry_json AS BLOB) END FROM ledger NOT INDEXED WHERE id = ?`,
      )
      .pluck()
  }

  get hasQuestions(): boolean {
    return !this.#state.questions.isEmpty
  }

  get othersUntil(): number {
    return this.#state.othersUntil
  }

  find(requestId: string): OpenQuestion | undefined {
    return this.#state.questions.find(requestId)
  }

  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number } {
    return this.#state.questions.count(agentId, expiredBefore)
  }

  entriesOf(requestId: string, after: number): RecordedCall {
    let call = NOT_RECORDED
    for (const [position, line] of this.linesOf(requestId, after)) {
      const parsed = parseLine(line)
      if (parsed.ok && requestIdOf(parsed.entry) === requestId) call = withEntry(call, parsed.entry, position)
    }
    return call
  }

  /**
   * The lines that may belong to a call.
   *
   * @throws LedgerError LEDGER_DAMAGED if the call index is incomplete: then it is unknown whether there are entries
   */
  *linesOf(requestId: string, after = 0): Generator<readonly [position: number, line: Uint8Array]> {
    const positions = positionsOfCall(this.#db, requestId, after)
    if (positions === null)
      throw new LedgerError('LEDGER_DAMAGED', 'the call index of the ledger is incomplete', {
        hint: 'make a copy with `sudoagent copy`, which builds the index again',
      })
    for (const position of positions) {
      const line = this.#lineAt.get(position)
      if (position > after && line instanceof Uint8Array) yield [position, line]
    }
  }
}
