// The port for writing a ledger: `append`, which the engine needs, and control entries.
import type { Hash, Signer } from '@sudoagent/crypto'
import type { EntryDraft } from '../entry/entry.js'

/** The place of a written entry. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** Ledger timestamp, set under the ledger's lock; never before that of the previous entry. */
  readonly recordedAt: string
}

/** A prepared entry, complete except for the time of its event. */
export interface PreparedEntry {
  /** As `LedgerWriter.append`. @param createdAt - ledger timestamp that replaces the draft's `created_at` */
  append(createdAt: string): Promise<AppendedEntry>
}

/**
 * The ledger of an engine. Implement it to store evidence elsewhere.
 *
 * `append` resolves only when the entry is durable, and rejects otherwise. After a rejection the entry may
 * still have been recorded (a connection can fail after COMMIT), so a caller must treat a rejection as "not
 * authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft): Promise<AppendedEntry>
  /**
   * Writes the genesis if the ledger is empty, so that a ledger without calls verifies too. `SudoEngine.open`,
   * `openLedgerWriter` and `mcp guard` await it before the first call.
   *
   * @throws (as a rejection) LedgerError as `append`
   */
  begin?(): Promise<void>
  /**
   * The number of milliseconds by which the ledger's time is ahead of this writer's clock; 0 or less if it is
   * not ahead. `recorded_at` of new entries is the ledger's time, so an approval could expire before it is
   * given.
   */
  aheadMs?(): Promise<number>
  /**
   * Encodes a draft in advance, while the thread would otherwise wait. Writes nothing until `append` of the
   * result is called.
   *
   * @throws LedgerError ENTRY_REFUSED
   */
  prepare?(draft: EntryDraft): PreparedEntry
  /** Waits for pending appends, then releases files and locks. Later appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

/** Writes control entries (LEDGER-FORMAT §5). Each method resolves when its entry is durable. */
export interface ControlWriter {
  /**
   * Adds a key, which may sign from the next entry on. The new key proves possession; this writer's key signs
   * the entry. @throws LedgerError ENTRY_REFUSED
   */
  addKey(signer: Signer): Promise<AppendedEntry>
  /**
   * Retires a key, which may be this writer's own. The last active key cannot be retired. @throws LedgerError
   * ENTRY_REFUSED
   */
  retireKey(keyId: string): Promise<AppendedEntry>
  /** Closes the ledger permanently. No writer can append to it afterwards. */
  seal(): Promise<AppendedEntry>
}

/** The end of a chain, which the next entry is linked to. */
export interface Head {
  readonly size: number
  readonly entryHash: Hash | null
  readonly recordedAt: string | null
}

export const EMPTY_HEAD: Head = { size: 0, entryHash: null, recordedAt: null }
