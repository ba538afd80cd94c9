// What an entry must be to the one before it, and to the columns beside it. For single lines and for chunks of them alike.
import type { Hash, Verifier } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto'
import type { Problem } from './line-facts.js'

const CHAIN_BROKEN: Problem = {
  code: 'CHAIN_BROKEN',
  message: 'prev_entry_hash is not the hash of the entry before it',
}

/**
 * The hash chain.
 *
 * @param last - hash of the entry before; null before the first entry; undefined where it is not known, so that nothing is
 * compared with it
 */
export function linkProblem(last: Hash | null | undefined, previous: Hash | null): Problem | null {
  return last === undefined || previous === last ? null : CHAIN_BROKEN
}

/** The ledger's time never goes back. @param last - the latest time so far; null where there is none */
export function clockProblem(last: string | null, recordedAt: string | null): Problem | null {
  if (last === null || recordedAt === null || recordedAt >= last) return null
  return { code: 'CLOCK_WENT_BACK', message: `recorded_at ${recordedAt} is before that of an earlier entry` }
}

const HASH_COLUMN: Problem = { code: 'COLUMN_MISMATCH', message: 'column `entry_hash` differs from the entry' }
const PREVIOUS_COLUMN: Problem = {
  code: 'COLUMN_MISMATCH',
  message: 'column `prev_entry_hash` differs from the entry',
}

/** The column `entry_hash` of a database row. */
export function hashColumnProblem(column: unknown, entryHash: Hash): Problem | null {
  return column === entryHash ? null : HASH_COLUMN
}

/** The column `prev_entry_hash` of a database row, or those of several rows as one text. */
export function previousColumnProblem(column: unknown, previous: string | null): Problem | null {
  return column === previous ? null : PREVIOUS_COLUMN
}

/** Whether a key signed an entry. @param signature - base64 */
export function isSignedBy(verifier: Verifier, entryHash: Hash, signature: string): boolean {
  const bytes = decodeBase64(signature)
  return bytes !== null && verifier.verify(Buffer.from(entryHash, 'latin1'), bytes)
}
