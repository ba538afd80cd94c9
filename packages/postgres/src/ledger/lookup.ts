// Looks up single entries for a writer.

import type { Session } from '../session/session.js'
import type { Target } from '../session/target.js'
import { type Known, seenIsGone } from './rows.js'

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

/** Returns the lines of control entries, by position. */
export async function controlLines(
  session: Session,
  { schema }: Target,
  ledger: number,
  positions: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await session.ask<{ readonly position: string; readonly entry_json: string }>({
    text: `SELECT position, entry_json FROM ${schema}.entry WHERE ledger = $1 AND position = ANY ($2::bigint[]) AND octet_length(entry_json) < 1000000`,
    values: [ledger, positions],
  })
  return new Map(rows.map((row) => [Number(row.position), row.entry_json]))
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
