// Reads a ledger on a PostgreSQL server in one read-only transaction. The transaction provides a consistent view,
// and neither waits for writers nor blocks them.
import { NOTE_BYTES_MAX } from '@sudoagent/crypto/note'
import type { HashReader } from '@sudoagent/crypto/tree'
import { LedgerError, type LedgerReader } from '@sudoagent/ledger'
import {
  BATCH_BYTES_MAX,
  BATCH_LINES,
  callNumber,
  type FetchedSource,
  LINE_BYTES_MAX,
  type LineRanges,
  type Place,
  POSITIONS_OF_CALL_MAX,
  type RangeRows,
  type StoredEvidence,
  type StoredLine,
  type StoredText,
  type StoreFault,
} from '@sudoagent/ledger/store'
import { asLedgerError } from '../session/failure.js'
import { Session } from '../session/session.js'
import { parseTarget, type Target, withLedger } from '../session/target.js'
import { RangeCopy } from './range-copy.js'
import { createPostgresTreeReader, TileSource } from './tree.js'

/** Time limit for an answer, in milliseconds. A reader does not wait for locks. */
const READ_PATIENCE_MS = 30_000

/**
 * Opens a connection with one read-only transaction, which sees a fixed snapshot.
 *
 * @throws LedgerError like `openPostgresLedger`
 */
export function openReadSession(target: Target): Promise<Session> {
  return Session.open({
    target,
    access: 'read',
    synchronousCommit: 'on',
    lockTimeoutMs: READ_PATIENCE_MS,
    requireSchema: true,
  })
}

/**
 * Opens a ledger for reading, in its current state. Changes nothing and takes no lock that would block a writer.
 *
 * @param url - `postgres://user@host/database?ledger=name`
 * @param ledger - ledger name, which replaces the name in the URL. A name from a server or a file must never be put
 *   into a URL
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_NOT_A_LEDGER, LEDGER_NOT_READABLE, LEDGER_BUSY
 * @example
 *   const reader = await openPostgresLedger('postgres://auditor@db.example.com/evidence?ledger=payments')
 */
export async function openPostgresLedger(
  url: string,
  { ledger: name }: { readonly ledger?: string } = {},
): Promise<LedgerReader> {
  const target = name === undefined ? parseTarget(url) : withLedger(parseTarget(url), name)
  if (target.ledger === null) {
    throw new LedgerError('LEDGER_NOT_FOUND', `\`${target.shown}\` does not name a ledger`, {
      hint: 'add `?ledger=payments`; `sudoagent ledgers` lists them',
    })
  }
  const session = await openReadSession(target)
  try {
    const [ledger] = await session.ask<Found>({
      text: `SELECT id, size, coalesce((SELECT max(position) FROM ${target.schema}.entry WHERE entry.ledger = id), 0) AS last
          FROM ${target.schema}.ledger JOIN ${target.schema}.head ON head.ledger = id WHERE name = $1`,
      values: [target.ledger],
    })
    if (ledger === undefined) {
      throw new LedgerError('LEDGER_NOT_FOUND', `\`${target.shown}\` does not exist`, {
        hint: '`sudoagent ledgers` lists the existing ledgers',
      })
    }
    return new PostgresReader(session, target, ledger)
  } catch (error) {
    await session.close()
    throw asLedgerError(error, target.shown, 'LEDGER_NOT_READABLE')
  }
}

interface Found {
  readonly id: number
  /** The size according to the head row. */
  readonly size: string
  /** Position of the last entry; equal to the size in a valid ledger. */
  readonly last: string
}

interface Row {
  readonly position: string
  readonly entry_json: string | null
  readonly entry_hash: string | null
  readonly prev_entry_hash: string | null
}

const NOTHING = new Uint8Array(0)

// The server replaces overlong values with an empty string. An empty string is not a hash, so the verifier reports
// it.
const COLUMNS = `position,
  CASE WHEN octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN entry_json END AS entry_json,
  CASE WHEN octet_length(entry_hash) <= 256 THEN entry_hash ELSE '' END AS entry_hash,
  CASE WHEN octet_length(prev_entry_hash) <= 256 OR prev_entry_hash IS NULL THEN prev_entry_hash ELSE '' END AS prev_entry_hash`

/** About a megabyte of typical entries. */
const RANGE_ROWS = 1024
const RANGE_BYTES = 1024 * 1024

/** A range that contains a longer row is read row by row. */
const ROW_BYTES_MAX = 16 * 1024

class PostgresReader implements LedgerReader, LineRanges {
  readonly kind = 'postgres'
  readonly sizeHint: number
  readonly ranges: LineRanges = this
  readonly source: FetchedSource
  readonly end: Place
  readonly step = RANGE_ROWS
  readonly #session: Session
  readonly #target: Target
  readonly #ledger: number
  /** Expected size of the next range. */
  #rangeBytes = RANGE_BYTES

  constructor(session: Session, target: Target, { id, size, last }: Found) {
    this.#session = session
    this.#target = target
    this.#ledger = id
    this.sizeHint = Number(size)
    this.end = Number(last)
    this.source = { kind: 'fetched', fetch: (from, to) => this.#fetch(from, to) }
  }

  async *batches(after = 0): AsyncGenerator<readonly StoredLine[]> {
    yield* this.lines(after, null, after + 1)
  }

  async placeBehind(lines: number): Promise<Place> {
    return lines
  }

  isAt(place: Place, position: number): boolean {
    return place === position - 1
  }

  async *lines(from: Place, to: Place | null, position: number): AsyncGenerator<readonly StoredLine[], Place | null> {
    let at = position
    // The next page is requested while the current page is processed.
    let page = this.#page(from, to)
    for (;;) {
      const rows = await page
      const last = rows.at(-1)
      if (last === undefined) break
      page = this.#page(Number(last.position), to)
      // A caller that stops early does not wait for the next page.
      page.catch(() => {})
      yield rows.map((row) => asLine(row, at++))
    }
    return to === null || to >= this.end ? null : to
  }

  /** A database has no data after the last line. */
  finish(): void {}

  async lineAt(position: number): Promise<StoredLine | null> {
    const [row] = await this.#rows(`position = $2`, [position], 1)
    return row === undefined ? null : asLine(row, position)
  }

  async linesOfCall(requestId: string): Promise<readonly StoredLine[] | null> {
    const rows = await this.#rows('call = $2 ORDER BY position', [callNumber(requestId)], POSITIONS_OF_CALL_MAX)
    return rows.map((row) => asLine(row, Number(row.position)))
  }

  async evidence(): Promise<StoredEvidence> {
    return { head: await this.#textOf('head'), cosigned: await this.#textOf('cosigned') }
  }

  treeReader(size: number): HashReader | null {
    if (size > this.sizeHint) return null
    return createPostgresTreeReader(new TileSource(this.#session, this.#target.schema, this.#ledger), size)
  }

  /** Returns no faults: the server checks its own storage, and the head contains the number of entries. */
  faults(): readonly StoreFault[] {
    return []
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  /**
   * Reads a page after a position. The page is limited in entries and bytes; the server sums the bytes, so that it
   * sends no excess rows.
   */
  async #page(after: number, to: number | null): Promise<readonly Row[]> {
    const from = `(SELECT *, sum(octet_length(entry_json)) OVER (ORDER BY position) - octet_length(entry_json) AS before
      FROM ${this.#target.schema}.entry WHERE ledger = $1 AND position > $2 AND position <= coalesce($3, position)
      ORDER BY position LIMIT ${BATCH_LINES}) AS page`
    const text = `SELECT ${COLUMNS} FROM ${from} WHERE before < ${BATCH_BYTES_MAX} ORDER BY position`
    return this.#ask({ name: 'sudoagent_page', text, values: [this.#ledger, after, to] })
  }

  /** The query omits rows that cannot be entries. An omitted row leaves a gap, so there is no range. */
  async #fetch(from: Place, to: Place): Promise<RangeRows | null> {
    const select = `SELECT position, entry_json, entry_hash, prev_entry_hash FROM ${this.#target.schema}.entry
      WHERE ledger = ${this.#ledger} AND position > ${from} AND position <= ${to} AND octet_length(entry_json) <= ${ROW_BYTES_MAX}
      AND octet_length(entry_hash) = 64 AND octet_length(prev_entry_hash) = 64 ORDER BY position`
    try {
      const copy = await this.#session.doAhead((done) => new RangeCopy(select, from, to - from, this.#rangeBytes, done))
      const { range } = copy
      // Slightly more than the size of the last range, so that the next range fits.
      if (range !== null) this.#rangeBytes = Math.ceil(range.lines.length * 1.1)
      return range
    } catch {
      // Reading row by row will find the problem.
      return null
    }
  }

  #rows(condition: string, values: readonly unknown[], limit: number): Promise<readonly Row[]> {
    const text = `SELECT ${COLUMNS} FROM ${this.#target.schema}.entry WHERE ledger = $1 AND ${condition} LIMIT ${limit}`
    return this.#ask({ text, values: [this.#ledger, ...values] })
  }

  async #ask(query: {
    readonly name?: string
    readonly text: string
    readonly values: unknown[]
  }): Promise<readonly Row[]> {
    try {
      return await this.#session.ask<Row & Record<string, unknown>>(query)
    } catch (error) {
      throw asLedgerError(error, this.#target.shown, 'LEDGER_NOT_READABLE')
    }
  }

  async #textOf(table: 'head' | 'cosigned'): Promise<StoredText> {
    const text = `SELECT checkpoint IS NULL AS is_empty, CASE WHEN octet_length(checkpoint) <= ${NOTE_BYTES_MAX} THEN checkpoint END AS text
      FROM ${this.#target.schema}.${table} WHERE ledger = $1`
    const [row] = await this.#session.ask<{ readonly is_empty: boolean; readonly text: string | null }>({
      text,
      values: [this.#ledger],
    })
    if (row === undefined || row.is_empty) return null
    return row.text === null ? 'unreadable' : { text: row.text }
  }
}

function asLine(
  { position: id, entry_json: json, entry_hash: entryHash, prev_entry_hash: prevEntryHash }: Row,
  position: number,
): StoredLine {
  const columns = { id: Number(id), entryHash, prevEntryHash }
  if (json === null) return { position, bytes: NOTHING, columns, fault: 'LINE_TOO_LONG' }
  return { position, bytes: Buffer.from(json), columns }
}
