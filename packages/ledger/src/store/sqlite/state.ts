// Reads the state of a SQLite ledger under the write lock: compares the head with the entries, and verifies its
// signature with the ledger's own keys.

import { NOTE_BYTES_MAX } from '@sudoagent/crypto/note'
import { encodeFrontier, type Frontier, parseFrontier, type TreeNode } from '@sudoagent/crypto/tree'
import type Database from 'better-sqlite3'
import { LINE_BYTES_MAX } from '../../limits.js'
import { type Standing, standingOf } from '../../standing/standing.js'
import { type CommitPlan, EMPTY_STATE, type LogState } from '../../write/advance.js'
import { headRefused, readHead, requireHead, requireMatchingHead, shorterThanHead } from '../../write/head-check.js'
import {
  CONTROLS_TEXT_MAX,
  controlsOf,
  encodeControls,
  type HeadControls,
  NO_CONTROLS,
  parseControls,
} from '../../write/head-controls.js'
import { readTail } from '../../write/last-entry.js'
import { recover } from '../../write/recover.js'
import { CallWriter } from './call-index.js'
import { ControlIndex } from './control-index.js'
import { OpenQuestions } from './open-questions.js'
import { TileWriter, tilesCompleted } from './tiles.js'

interface HeadRow {
  readonly size: number
  readonly entry_hash: string
  readonly frontier: Uint8Array
  readonly controls: string
  readonly checkpoint: string
}

interface LastRow {
  readonly id: number
  readonly entry_json: Uint8Array
  readonly entry_hash: string
}

interface Known {
  readonly state: LogState
  readonly controls: HeadControls
  /** The head stored at that time, which may cover fewer entries than the state; null if there was no head. */
  readonly checkpoint: string | null
  /** See `CallRecords.othersUntil`. */
  readonly othersUntil: number
}

const NOTHING: Known = { state: EMPTY_STATE, controls: NO_CONTROLS, checkpoint: null, othersUntil: 0 }

/** An 8-byte size and a right edge of 53 hashes. */
const FRONTIER_BYTES_MAX = 8 + 53 * 32

/**
 * SQL for a column of the head row: null unless the value has the expected type and length, since a row may contain
 * any value.
 */
const fitting = (column: keyof HeadRow, type: string, maxBytes: number): string =>
  `CASE WHEN typeof(${column}) = '${type}' AND octet_length(${column}) <= ${maxBytes} THEN ${column} END AS ${column}`

const SELECT_HEAD = `SELECT ${[
  fitting('size', 'integer', 16),
  fitting('entry_hash', 'text', 64),
  fitting('frontier', 'blob', FRONTIER_BYTES_MAX),
  fitting('controls', 'text', CONTROLS_TEXT_MAX),
  fitting('checkpoint', 'text', NOTE_BYTES_MAX),
].join(', ')} FROM sudoagent_head NOT INDEXED WHERE id = 1`

/** Reads and writes the state of an open database, always in a transaction. */
export class SqliteState {
  readonly #path: string
  readonly #tiles: TileWriter
  readonly #calls: CallWriter
  readonly #index: ControlIndex
  readonly questions: OpenQuestions
  readonly #statements: Readonly<
    Record<'version' | 'head' | 'putHead' | 'last' | 'lineAt' | 'hashAt' | 'behind', Database.Statement>
  >
  /** The state after the last durable transaction. */
  #durable: Known | null = null
  /** SQLite's counter of commits by other connections, as of the durable state. */
  #versionDurable: unknown = null
  #versionNow: unknown = null
  /** The state in the current transaction. */
  #current: Known = NOTHING

  constructor(db: Database.Database, path: string) {
    this.#path = path
    this.#tiles = new TileWriter(db)
    this.#calls = new CallWriter(db)
    this.#index = new ControlIndex(db)
    this.questions = new OpenQuestions(db)
    const entry = `CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN CAST(entry_json AS BLOB) END AS entry_json`
    this.#statements = {
      version: db.prepare('PRAGMA data_version').pluck(),
      head: db.prepare(SELECT_HEAD),
      putHead: db.prepare(
        'INSERT OR REPLACE INTO sudoagent_head (id, size, entry_hash, frontier, controls, checkpoint) VALUES (1, ?, ?, ?, ?, ?)',
      ),
      last: db.prepare(`SELECT id, ${entry}, entry_hash FROM ledger NOT INDEXED ORDER BY id DESC LIMIT 1`),
      lineAt: db.prepare(`SELECT ${entry} FROM ledger NOT INDEXED WHERE id = ?`).pluck(),
      hashAt: db.prepare('SELECT entry_hash FROM ledger NOT INDEXED WHERE id = ?').pluck(),
      behind: db.prepare(`SELECT id, ${entry}, entry_hash FROM ledger NOT INDEXED WHERE id > ? ORDER BY id LIMIT 1`),
    }
  }

  /**
   * Reads the state of the ledger, and recovers entries that the tree does not cover yet.
   *
   * @throws LedgerError LEDGER_DAMAGED if rows, tree and head do not match, or if an entry that this writer has seen
   * is missing
   */
  read(): LogState {
    const known = this.#durable
    // If SQLite reports that no other connection has committed since then, the last written state is current.
    this.#versionNow = this.#statements.version.get()
    if (known !== null && this.#versionNow === this.#versionDurable) {
      this.#current = known
      return known.state
    }
    this.questions.forget()
    const last = this.#statements.last.get() as LastRow | undefined
    const row = this.#headRow()
    if (known !== null) this.#requireSeen(known.state)
    this.#current = known !== null && isAt(known, last, row) ? known : this.#readAnew(last, row, known)
    return this.#current.state
  }

  /** The last position at which another process, or an outcome by request id, has added an entry. */
  get othersUntil(): number {
    return this.#current.othersUntil
  }

  /** Writes the tree and the head of a step whose rows have been inserted. */
  write({ nodes, checkpoint, ringAt, rows, questions, outcomeByIdAt, state }: CommitPlan): void {
    const { positions } = this.#current.controls
    this.#writeTree(nodes)
    this.#index.add(rows)
    this.questions.apply(questions)
    const controls = controlsOf(ringAt === null ? positions : [...positions, ringAt], state)
    const { size, entryHash } = state.head
    this.#statements.putHead.run(size, entryHash, encodeFrontier(state.frontier), encodeControls(controls), checkpoint)
    this.#current = { state, controls, checkpoint, othersUntil: outcomeByIdAt ?? this.#current.othersUntil }
  }

  /**
   * Marks the current transaction as durable. Without this call, the next `read` starts from the previous durable
   * state.
   */
  committed(): void {
    this.#durable = this.#current
    this.#versionDurable = this.#versionNow
  }

  #writeTree(nodes: readonly TreeNode[]): void {
    this.#tiles.write(nodes)
    for (const tile of tilesCompleted(nodes)) this.#calls.write(tile)
  }

  #headRow(): HeadRow | undefined {
    const row = this.#statements.head.get() as Record<keyof HeadRow, unknown> | undefined
    if (row !== undefined && Object.values(row).includes(null)) throw headRefused(this.#path, 'cannot be read')
    return row as HeadRow | undefined
  }

  #readAnew(last: LastRow | undefined, row: HeadRow | undefined, known: Known | null): Known {
    if (last !== undefined) this.#requireTail(last)
    const recovered = this.#recover(this.#start(last, row, known))
    // Entries that are new to this writer are those of others.
    const current = { ...recovered, othersUntil: recovered.state.head.size }
    if (row === undefined) requireHead(current.state.ring, this.#path)
    return current
  }

  /**
   * The state from which to recover: the last known state if the head has not changed since then, otherwise the state
   * that the head covers.
   */
  #start(last: LastRow | undefined, row: HeadRow | undefined, known: Known | null): Known {
    if (known !== null && isHeadOf(known, row)) return known
    if (row !== undefined) return this.#atHead(row, last?.id ?? 0, known)
    this.#index.clear()
    this.questions.clear()
    return NOTHING
  }

  /** Checks that the last entry that this writer has seen or written still exists. */
  #requireSeen({ head }: LogState): void {
    if (head.size === 0 || this.#statements.hashAt.get(head.size) === head.entryHash) return
    throw headRefused(this.#path, `covers entry ${head.size}, which is missing or has changed`)
  }

  #requireTail({ id, entry_json: json, entry_hash: column }: LastRow): void {
    const { entryHash } = readTail(json ?? new Uint8Array(0), this.#path)
    if (entryHash !== column)
      throw headRefused(
        this.#path,
        `does not match the entries: column \`entry_hash\` of entry ${id} differs from the entry`,
      )
  }

  /** The state in the head row, checked completely, because the process that changed the head is not trusted. */
  #atHead(row: HeadRow, lastId: number, known: Known | null): Known {
    if (row.size > lastId) throw shorterThanHead(this.#path, lastId, row.size)
    const line = this.#statements.lineAt.get(row.size)
    if (!(line instanceof Uint8Array)) throw headRefused(this.#path, 'does not match the entries')
    const tail = readTail(line, this.#path)
    const frontier = this.#frontierOf(row)
    if (tail.entryHash !== row.entry_hash || frontier.size !== row.size)
      throw headRefused(this.#path, 'does not match the entries')
    const controls = parseControls(row.controls, this.#path)
    const standing = this.#standing(row, controls, known)
    const ring = standing?.ring ?? null
    if (controls === null || standing === null || ring === null)
      throw headRefused(this.#path, 'does not match the entries')
    const head = readHead({ text: row.checkpoint }, this.#path)
    if (head === null || head.size !== row.size) throw headRefused(this.#path, 'does not match the entries')
    requireMatchingHead(head, frontier, ring, this.#path)
    const { checkpoint } = row
    return {
      state: { head: { size: row.size, ...tail }, frontier, ...standing },
      controls,
      checkpoint,
      othersUntil: row.size,
    }
  }

  #frontierOf(row: HeadRow): Frontier {
    try {
      return parseFrontier(row.frontier)
    } catch {
      throw headRefused(this.#path, 'cannot be read')
    }
  }

  /** Returns the standing at the head: the known one, if the head states the same control entries. */
  #standing(row: HeadRow, controls: HeadControls | null, known: Known | null): Standing | null {
    if (controls === null) return null
    if (known === null || encodeControls(known.controls) !== row.controls) return this.#index.read(controls, row.size)
    return standingOf(known.state)
  }

  /** Recovers the rows after the head, and stores their tree nodes. */
  #recover(from: Known): Known {
    let { state } = from
    const positions = [...from.controls.positions]
    for (;;) {
      const row = this.#statements.behind.get(state.head.size) as LastRow | undefined
      if (row === undefined) return { ...from, state, controls: controlsOf(positions, state) }
      if (row.id !== state.head.size + 1)
        throw headRefused(this.#path, `does not match the entries: entry ${state.head.size + 1} is missing`)
      const caught = recover(state, row.entry_json ?? new Uint8Array(0), this.#path, this.questions)
      if (caught.state.head.entryHash !== row.entry_hash) this.#requireTail(row)
      if (caught.state.ring !== state.ring && state.ring !== null) positions.push(row.id)
      if (caught.row !== null) this.#index.add([caught.row])
      this.questions.apply(caught.questions)
      state = caught.state
      this.#writeTree(caught.nodes)
    }
  }
}

function isAt(known: Known, last: LastRow | undefined, row: HeadRow | undefined): boolean {
  return (last?.id ?? 0) === known.state.head.size && isHeadOf(known, row)
}

const isHeadOf = ({ checkpoint }: Known, row: HeadRow | undefined): boolean => (row?.checkpoint ?? null) === checkpoint
