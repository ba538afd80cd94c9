// Looks up single entries for a writer.

import { LedgerError } from '@sudoagent/ledger'
import type { ControlRow } from '@sudoagent/ledger/store'
import type { Session, Statement } from '../session/session.js'
import type { Target } from '../session/target.js'
import { type ControlReader, type Known, seenIsGone } from './rows.js'

/**
 * Requires that the last entry seen by this writer still exists. On a different or restored server, that entry is
 * missing.
 *
 * @throws LedgerError LEDGER_DAMAGED
 */
export async function requireEntry(session: Session, target: Target, ledger: number, { state }: Known): Promise<void> {
  const { size, entryHash } = state.head
  if (size > 0 && (await hashAt(session, target, ledger, size)) !== entryHash) throw seenIsGone(size, target.shown)
}

/** Reads the control entries of a ledger, and its control index, in the current transaction. */
export function controlReader(session: Session, { schema }: Target, ledger: number): ControlReader {
  const reader: ControlReader = {
    isIndexNew: false,
    lines: async (positions) => {
      const rows = await session.ask<{ readonly position: string; readonly entry_json: string }>({
        text: `SELECT position, entry_json FROM ${schema}.entry WHERE ledger = $1 AND position = ANY ($2::bigint[]) AND octet_length(entry_json) < 1000000`,
        values: [ledger, positions],
      })
      return new Map(rows.map((row) => [Number(row.position), Buffer.from(row.entry_json)]))
    },
    index: async (limit) => {
      const rows = await session.ask<{
        readonly position: string
        readonly kind: string
        readonly ends: string | null
      }>({
        text: `SELECT position, kind, ends FROM ${schema}.control WHERE ledger = $1 ORDER BY position LIMIT $2`,
        values: [ledger, limit],
      })
      return rows.map(({ position, kind, ends }) => ({
        position: Number(position),
        kind,
        ends: ends === null ? null : Number(ends),
      }))
    },
    allPositions: async () => {
      // `checkpoint` is the first member of a control entry in canonical JSON; `call` is null for it.
      const rows = await session.ask<{ readonly position: string }>({
        text: `SELECT position FROM ${schema}.entry WHERE ledger = $1 AND (position = 1 OR call IS NULL AND starts_with(entry_json, '{"checkpoint":')) ORDER BY position`,
        values: [ledger],
      })
      return rows.map(({ position }) => Number(position))
    },
    addToIndex: async (rows) => {
      await session.ask(indexQuery(schema, ledger, rows))
      reader.isIndexNew = true
    },
  }
  return reader
}

/** The code of PostgreSQL for a table that does not exist (`undefined_table`). */
const UNDEFINED_TABLE = '42P01'

/** The error for a database whose tables are from a release without stops or questions; null for any other error. */
export function withoutTable(error: unknown, { shown, schema }: Target): LedgerError | null {
  if (typeof error !== 'object' || error === null || Reflect.get(error, 'code') !== UNDEFINED_TABLE) return null
  const isQuestions = String(Reflect.get(error, 'message')).includes('open_question')
  return isQuestions ? withoutQuestions({ shown, schema }) : lacks(shown, `${schema}.control`, 'stops')
}

/** The error for a database whose tables are from a release without questions. */
export function withoutQuestions({ shown, schema }: Pick<Target, 'shown' | 'schema'>): LedgerError {
  return lacks(shown, `${schema}.open_question`, 'questions')
}

function lacks(shown: string, table: string, what: string): LedgerError {
  return new LedgerError('ENTRY_REFUSED', `\`${shown}\` has no table \`${table}\`, so it cannot record ${what}`, {
    hint: 'nothing was written; `sudoagent postgres init` adds the table',
  })
}

/**
 * Adds rows to the control index, in the current transaction.
 *
 * @throws LedgerError ENTRY_REFUSED if the database has no such table
 */
export async function addToIndex(
  session: Session,
  target: Target,
  ledger: number,
  rows: readonly ControlRow[],
): Promise<void> {
  try {
    await session.ask(indexQuery(target.schema, ledger, rows))
  } catch (error) {
    throw withoutTable(error, target) ?? error
  }
}

/** Inserts the rows of the control index that are missing. Rows are never changed. */
export const indexQuery = (schema: string, ledger: number, rows: readonly ControlRow[]): Statement => ({
  text: `INSERT INTO ${schema}.control (ledger, position, kind, ends) SELECT $1, position, kind, ends
    FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS given (position, kind, ends) ON CONFLICT DO NOTHING`,
  values: [ledger, rows.map(({ position }) => position), rows.map(({ kind }) => kind), rows.map(({ ends }) => ends)],
})

/** Whether the database has the table of open questions. */
export async function takesQuestions(session: Session, { schema }: Target): Promise<boolean> {
  const [row] = await session.ask<{ readonly found: boolean }>(
    `SELECT to_regclass('${schema}.open_question') IS NOT NULL AS found`,
  )
  return row?.found === true
}

export async function hashAt(
  session: Session,
  { schema }: Target,
  ledger: number,
  position: number,
): Promise<string | null> {
  const text = `SELECT entry_hash FROM ${schema}.entry WHERE ledger = $1 AND position = $2`
  const [row] = await session.ask<{ readonly entry_hash: string }>({ text, values: [ledger, position] })
  return row?.entry_hash ?? null
}
