// A writer looks at the last entry before it links anything to it: a chain must not be continued behind an entry that does not hold.
import { type Hash, hashEntry } from '@sudoagent/crypto'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'

/** What the chain needs of its last entry. */
export interface Tail {
  readonly entryHash: Hash
  /** Null behind an entry of the Python implementation, which does not record it. */
  readonly recordedAt: string | null
}

/**
 * Reads the last entry of a ledger that is about to be appended to.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER when it is no entry, LEDGER_DAMAGED when its hash does not match
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
