// Compares an entry with the entry before it and with its database columns. Single lines and chunks of lines use the
// same rules.
import type { Hash, Verifier } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto/bytes'
import type { Problem } from './line-facts.js'

const CHAIN_BROKEN: Problem = {
  code: 'CHAIN_BROKEN',
  message: 'prev_entry_hash is not the hash of the entry before it',
}

/**
 * Checks the hash chain.
 *
 * @param last - hash of the previous entry; null before the first entry; undefined if unknown, in which case the
 * check is skipped
 */
export function linkProblem(last: Hash | null | undefined, previous: Hash | null): Problem | null {
  return last === undefined || previous === last ? null : CHAIN_BROKEN
}

/** Checks that `recorded_at` never goes back. @param last - the latest time so far; null if there is none */
export function clockProblem(last: string | null, recordedAt: string | null): Problem | null {
  if (last === null || recordedAt === null || recordedAt >= last) return null
  return { code: 'CLOCK_WENT_BACK', message: `recorded_at ${recordedAt} is before that of an earlier entry` }
}

const HASH_COLUMN: Problem = { code: 'COLUMN_MISMATCH', message: 'column `entry_hash` differs from the entry' }
const PREVIOUS_COLUMN: Problem = {
  code: 'COLUMN_MISMATCH',
  message: 'column `prev_entry_hash` differs from the entry',
}

/** Compares the `entry_hash` column of a database row with the entry. */
export function hashColumnProblem(column: unknown, entryHash: Hash): Problem | null {
  return column === entryHash ? null : HASH_COLUMN
}

/** Compares the `prev_entry_hash` column of a row with the entry, or the concatenated columns of several rows. */
export function previousColumnProblem(column: unknown, previous: string | null): Problem | null {
  return column === previous ? null : PREVIOUS_COLUMN
}

/** Whether a key signed an entry. @param signature - base64 */
export function isSignedBy(verifier: Verifier, entryHash: Hash, signature: string): boolean {
  const bytes = decodeBase64(signature)
  return bytes !== null && verifier.verify(Buffer.from(entryHash, 'latin1'), bytes)
}
