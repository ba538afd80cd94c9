// The port of a ledger that is written: what the engine needs, `append`, and what a ledger can be told about itself.
import type { Hash, Signer } from '@sudoagent/crypto'
import type { EntryDraft } from '../entry/entry.js'

/** Where an entry went. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** Ledger timestamp, set under the ledger's lock; never smaller than the previous entry's. */
  readonly recordedAt: string
}

/** A draft that waits for nothing but the moment at which what it tells has happened. */
export interface PreparedEntry {
  /** As `LedgerWriter.append`. @param createdAt - ledger timestamp, in place of the draft's `created_at` */
  append(createdAt: string): Promise<AppendedEntry>
}

/**
 * What the engine writes to. Implement it to keep evidence elsewhere.
 *
 * `append` resolves only when the entry is durable and rejects otherwise; after a rejection the entry may still turn out to be on record
 * (a connection can die after COMMIT), so a caller must treat a rejection as "not authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft): Promise<AppendedEntry>
  /**
   * Writes the genesis where the ledger is empty, so that a day without a call verifies too; otherwise does nothing. For
   * whoever opens a ledger to write calls: `SudoEngine.open`, `openLedgerWriter` and `mcp guard` await it.
   *
   * @throws (as a rejection) LedgerError as `append`
   */
  begin?(): Promise<void>
  /**
   * How far the ledger's time is ahead of this writer's clock, in milliseconds; 0 or less when it is not. Entries get the
   * ledger's time, so that an approval would be over before anybody could give it.
   */
  aheadMs?(): Promise<number>
  /**
   * Does ahead what an append of this draft takes before it is sent; for a ledger that is waited for while nothing else is to do. Nothing is written,
   * now or later, unless its `append` is called.
   *
   * @throws LedgerError ENTRY_REFUSED
   */
  prepare?(draft: EntryDraft): PreparedEntry
  /** Waits for what is under way, then lets go of files and locks. Later appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

/** What a ledger can be told about itself; each is one control entry (LEDGER-FORMAT §5), durable when it resolves. */
export interface ControlWriter {
  /** Lets a new key sign from now on. The new key signs for itself; the entry is signed by this writer's key. @throws LedgerError ENTRY_REFUSED */
  addKey(signer: Signer): Promise<AppendedEntry>
  /** Takes a key away, this writer's own perhaps; one key must stay. @throws LedgerError ENTRY_REFUSED */
  retireKey(keyId: string): Promise<AppendedEntry>
  /** Ends the ledger: nothing can be appended any more, by anybody. */
  seal(): Promise<AppendedEntry>
}

/** The end of a chain: what the next entry is linked to. */
export interface Head {
  readonly size: number
  readonly entryHash: Hash | null
  readonly recordedAt: string | null
}

export const EMPTY_HEAD: Head = { size: 0, entryHash: null, recordedAt: null }
