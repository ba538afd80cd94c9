// Finds, creates and lists the ledgers in a database, by name.
import { LedgerError } from '@sudoagent/ledger'
import { asLedgerError } from '../session/failure.js'
import type { Session, Statement } from '../session/session.js'
import { parseTarget, type Target } from '../session/target.js'
import { openReadSession } from './reader.js'

/**
 * Returns the number of a ledger in this database; a different server may use a different number. Null if the
 * ledger does not exist.
 */
export async function findLedger(session: Session, { schema }: Target, name: string): Promise<number | null> {
  const text = `SELECT id FROM ${schema}.ledger WHERE name = $1`
  const [row] = await session.ask<{ readonly id: number }>({ text, values: [name] })
  return row?.id ?? null
}

/** Like `findLedger`, but creates a missing ledger. */
export async function findOrMakeLedger(session: Session, target: Target, name: string): Promise<number> {
  let id = await findLedger(session, target, name)
  if (id === null) {
    await session.ask(makeQuery(target, name))
    id = await findLedger(session, target, name)
  }
  if (id === null || !Number.isSafeInteger(id)) throw new Error('the ledger could not be created')
  return id
}

/** Creates a ledger and its head row. Does nothing if another writer has already created the ledger. */
export const makeQuery = ({ schema }: Target, name: string): Statement => ({
  text: `WITH made AS (INSERT INTO ${schema}.ledger (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)
    INSERT INTO ${schema}.head (ledger) SELECT id FROM made`,
  values: [name],
})

/** A ledger in a database, as described by its head row; unverified. */
export interface ListedLedger {
  /**
   * The name on the server. Validate the name with `isLedgerName` before use, because a different program may have
   * created the tables.
   */
  readonly name: string
  /** Number of entries. */
  readonly size: number
  readonly entryHash: string | null
  /** Time since the head last moved, by the database clock, in milliseconds. */
  readonly ageMs: number
}

/** Maximum number of listed ledgers. */
export const LEDGERS_MAX = 10_000

/**
 * Lists the ledgers in a database, sorted by name.
 *
 * @param url - `postgres://user@host/database`
 * @throws LedgerError like `openPostgresLedger`
 */
export async function listLedgers(url: string): Promise<readonly ListedLedger[]> {
  const target = parseTarget(url)
  const session = await openReadSession(target)
  try {
    const rows = await session.ask<{ name: string; size: string; entry_hash: string | null; age_ms: number }>(
      `SELECT name, size, entry_hash, (extract(epoch FROM clock_timestamp() - moved_at) * 1000)::float8 AS age_ms
       FROM ${target.schema}.ledger JOIN ${target.schema}.head ON head.ledger = id ORDER BY name COLLATE "C" LIMIT ${LEDGERS_MAX + 1}`,
    )
    if (rows.length > LEDGERS_MAX)
      throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${target.shown}\` has more than ${LEDGERS_MAX} ledgers`)
    return rows.map((row) => ({
      name: row.name,
      size: Number(row.size),
      entryHash: row.entry_hash,
      ageMs: Math.max(0, Math.round(row.age_ms)),
    }))
  } catch (error) {
    throw asLedgerError(error, target.shown, 'LEDGER_NOT_READABLE')
  } finally {
    await session.close()
  }
}
