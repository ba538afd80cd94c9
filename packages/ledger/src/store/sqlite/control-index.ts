// The control index of a SQLite ledger: which entries, other than those of keys, took effect. A writer reads these
// entries when it opens the ledger or when another process has added one, and checks each of them.
//
//   position  kind    ends
//   20        stop
//   31        resume  20
import type Database from 'better-sqlite3'
import { LINE_BYTES_MAX } from '../../limits.js'
import type { ControlRow, Standing } from '../../standing/standing.js'
import { type HeadControls, positionsToRead } from '../../write/head-controls.js'
import { INDEX_ROWS_MAX, replayControls } from '../../write/replay-controls.js'

export class ControlIndex {
  readonly #statements: Readonly<Record<'rows' | 'put' | 'clear' | 'lineAt' | 'controls', Database.Statement>>

  constructor(db: Database.Database) {
    const entry = `CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN CAST(entry_json AS BLOB) END AS entry_json`
    this.#statements = {
      rows: db.prepare('SELECT position, kind, ends FROM sudoagent_control NOT INDEXED ORDER BY position LIMIT ?'),
      put: db.prepare('INSERT OR REPLACE INTO sudoagent_control (position, kind, ends) VALUES (?, ?, ?)'),
      clear: db.prepare('DELETE FROM sudoagent_control NOT INDEXED'),
      lineAt: db.prepare(`SELECT ${entry} FROM ledger NOT INDEXED WHERE id = ?`).pluck(),
      // `checkpoint` is the first member of a control entry in canonical JSON; `action` is that of a call.
      controls: db
        .prepare(`SELECT id FROM ledger NOT INDEXED WHERE id <= ? AND (id = 1 OR entry_json GLOB '{"checkpoint":*')`)
        .pluck(),
    }
  }

  /** Empties the index, before it is made from all entries. */
  clear(): void {
    this.#statements.clear.run()
  }

  add(rows: readonly ControlRow[]): void {
    for (const { position, kind, ends } of rows) this.#statements.put.run(position, kind, ends)
  }

  /**
   * The standing at the head. If the index does not have the rows that the head states, or they differ from the
   * entries, it is built again from the entries.
   *
   * @param size - number of entries that the head covers
   * @returns null if an entry is invalid, or if the entries do not establish what the head states
   */
  read(controls: HeadControls, size: number): Standing | null {
    const rows = this.#statements.rows.all(INDEX_ROWS_MAX + 1) as ControlRow[]
    const known = replayControls(positionsToRead(controls, rows), (at) => this.#lineAt(at), controls, rows)
    if (known !== null) return known.standing
    const all = this.#statements.controls.all(size) as number[]
    const made = replayControls(all, (at) => this.#lineAt(at), controls, null)
    if (made === null) return null
    this.clear()
    this.add(made.rows)
    return made.standing
  }

  #lineAt(position: number): Uint8Array | undefined {
    const line = this.#statements.lineAt.get(position)
    return line instanceof Uint8Array ? line : undefined
  }
}
