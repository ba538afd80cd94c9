// Checks the last entry before a writer appends: new entries must not be linked to an invalid one.
import type { Hash } from '@sudoagent/crypto'
import { hashEntry } from '@sudoagent/crypto/entry'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'

/** The part of the last entry that the hash chain needs. */
export interface Tail {
  readonly entryHash: Hash
  /** Null after an entry of SudoAgent for Python, which does not have `recorded_at`. */
  readonly recordedAt: string | null
}

/**
 * Reads the last entry of a ledger before an append.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER if the line is not an entry, LEDGER_DAMAGED if the hash does not match
 */
export function readTail(bytes: Uint8Array, path: string): Tail {
  const parsed = parseLine(bytes)
  if (!parsed.ok) {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\`: the last entry cannot be read: ${parsed.message}`, {
      hint: 'nothing was written; run `sudoagent verify` on it',
    })
  }
  const { entry, text, members } = parsed
  if (hashEntry(text, members) !== entry.entry_hash) {
    throw new LedgerError('LEDGER_DAMAGED', `\`${path}\`: entry_hash of the last entry does not match its content`, {
      hint: 'nothing was written; run `sudoagent verify` on it',
    })
  }
  return { entryHash: entry.entry_hash, recordedAt: entry.recorded_at ?? null }
}
