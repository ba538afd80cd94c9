// The interface for writing a ledger: `append`, which the engine needs, and control entries.
import type { Hash, Signer } from '@sudoagent/crypto'
import type { StopScope } from '../authority/stop-scope.js'
import type { EntryDraft } from '../entry/entry.js'

/** The place of a written entry. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** A ledger timestamp, set under the ledger's lock and never earlier than the timestamp of the previous entry. */
  readonly recordedAt: string
}

/** A prepared entry that lacks only the time of its event. */
export interface PreparedEntry {
  /** As `LedgerWriter.append`. @param createdAt - the ledger timestamp that replaces the draft's `created_at` */
  append(createdAt: string): Promise<AppendedEntry>
}

/**
 * The ledger of an engine. Implement this interface to store entries elsewhere.
 *
 * `append` resolves only when the entry is durable, and rejects otherwise. A connection can fail after COMMIT, so a
 * rejected entry may still have been recorded: treat a rejection as "not authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft): Promise<AppendedEntry>
  /**
   * Writes the genesis if the ledger is empty, so that a ledger without calls is valid, too. `SudoEngine.open`,
   * `openLedgerWriter` and `mcp guard` await `begin` before the first call.
   *
   * @throws (as a rejection) the errors of `append`
   */
  begin?(): Promise<void>
  /**
   * Returns how far the ledger time is ahead of this writer's clock, in milliseconds; 0 or negative if it is not
   * ahead. New entries are recorded at the ledger time, so an approval that is valid by this writer's clock may
   * already have expired.
   */
  aheadMs?(): Promise<number>
  /**
   * Encodes a draft in advance, while the thread would otherwise be idle. Nothing is written until the result's
   * `append` is called.
   *
   * @throws LedgerError ENTRY_REFUSED
   */
  prepare?(draft: EntryDraft): PreparedEntry
  /** Waits for pending appends, then releases files and locks. Subsequent appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

/** Why a control entry was written, and who decided it. */
export interface ControlNote {
  /** Up to 1,024 characters. */
  readonly reason: string
  /** The name of a person or a program, 1 to 256 characters, unverified. */
  readonly by: string
}

/** The result of a stop. */
export interface StoppedCalls {
  /** A UUIDv4, with which the stop can be ended. */
  readonly stopId: string
  /** Position of the entry of the stop. */
  readonly position: number
  /** Null if a stop with the same scope was open before: then nothing was written. */
  readonly entry: AppendedEntry | null
}

/** Writes control entries (LEDGER-FORMAT §5). Each method resolves when its entry is durable. */
export interface ControlWriter {
  /**
   * Adds a key, which may sign all later entries. The new key proves possession; this writer's key signs the entry.
   * @throws LedgerError ENTRY_REFUSED
   */
  addKey(signer: Signer): Promise<AppendedEntry>
  /**
   * Retires a key, which may be this writer's own. The last active key cannot be retired. @throws LedgerError
   * ENTRY_REFUSED
   */
  retireKey(keyId: string): Promise<AppendedEntry>
  /** Closes the ledger permanently: no writer can append to it afterwards. */
  seal(): Promise<AppendedEntry>
  /**
   * Stops calls. From the entry on, no writer of this ledger can append an allowed decision that the scope covers
   * (`append` rejects with STOPPED), until the stop is ended. Calls that are already allowed are not ended.
   *
   * @throws TypeError for an invalid scope or note; LedgerError ENTRY_REFUSED if 255 other stops are open
   * @example await ledger.stop({ agent: 'billing-*' }, { reason: 'wrong prices', by: 'alice' })
   */
  stop(scope: StopScope, note: ControlNote): Promise<StoppedCalls>
  /**
   * Ends a stop.
   *
   * @throws LedgerError STOP_NOT_FOUND if no stop with this id is open; TypeError for an invalid note
   */
  resume(stopId: string, note: ControlNote): Promise<AppendedEntry>
}

/** The end of a hash chain, to which the next entry is linked. */
export interface Head {
  readonly size: number
  readonly entryHash: Hash | null
  readonly recordedAt: string | null
}

export const EMPTY_HEAD: Head = { size: 0, entryHash: null, recordedAt: null }
