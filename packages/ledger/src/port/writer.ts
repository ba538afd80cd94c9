// The interface for writing a ledger: `append`, which the engine needs, and control entries.
import type { Hash, Signer } from '@sudoagent/crypto'
import type { Authority, Commitment, Requirement, StopScope } from '@sudoagent/crypto/entry'
import type { EntryDraft, OutcomeBlock } from '../entry/entry.js'

/** The place of a written entry. `position` is 1-based. */
export interface AppendedEntry {
  readonly position: number
  readonly entryHash: Hash
  /** A ledger timestamp, set under the ledger's lock and never earlier than the timestamp of the previous entry. */
  readonly recordedAt: string
}

export interface AppendOptions {
  /**
   * Whether the entry is refused if the call has one of its kind already: a decision or a question if the request id
   * has a decision (CALL_DECIDED), a question also if it has a question, an outcome if it has an outcome
   * (OUTCOME_RECORDED) or no decision that allows the call. Default: false.
   */
  readonly once?: boolean | undefined
  /**
   * For an outcome: the position of the decision. If another writer has appended since, a second outcome is
   * refused (OUTCOME_RECORDED).
   */
  readonly decidedAt?: number | null | undefined
}

/** A question to record before anybody is asked. All texts are recorded in NFC. */
export interface Question {
  readonly requestId: string
  /** `created_at` of the decision that will answer it, a ledger timestamp. */
  readonly decisionAt: string
  readonly decisionHash: Hash
  readonly authority?: Authority
  readonly policyHash: string
  readonly action: string
  readonly agentId: string
  readonly requirement: Requirement
  /** How many values and keys of the call are recorded as something other than themselves. */
  readonly redacted: number
  readonly commitment?: Commitment
  /** Time until the deadline, in milliseconds: 1 to 604,800,000 (7 days). */
  readonly ttlMs: number
}

/** A recorded question. */
export interface AskedQuestion extends AppendedEntry {
  /** A ledger timestamp: `recordedAt` and `ttlMs`. */
  readonly expiresAt: string
  /** `entry_hash` of the first entry, which identifies the ledger. */
  readonly ledger: Hash
}

/** A prepared entry that lacks only the time of its event. */
export interface PreparedEntry {
  /** As `LedgerWriter.append`. @param createdAt - the ledger timestamp that replaces the draft's `created_at` */
  append(createdAt: string, options?: AppendOptions): Promise<AppendedEntry>
}

/** Selects open questions. Default: all. */
export interface OpenQuestionFilter {
  /** Only questions with one of these request ids. */
  readonly among?: readonly string[]
  /** Only questions of this agent. */
  readonly agentId?: string
}

/**
 * The ledger of an engine. Implement this interface to store entries elsewhere.
 *
 * `append` resolves only when the entry is durable, and rejects otherwise. A connection can fail after COMMIT, so a
 * rejected entry may still have been recorded: treat a rejection as "not authorized", never as "not recorded".
 */
export interface LedgerWriter {
  append(draft: EntryDraft, options?: AppendOptions): Promise<AppendedEntry>
  /**
   * Records a question, and sets its deadline under the ledger's lock. The decision of the call must then carry the
   * requirement of the question (`approval.requirement`), and closes the question; a second decision, or one after the
   * deadline and a grace period of a minute, is refused with QUESTION_CLOSED.
   *
   * @throws LedgerError (as a rejection) STOPPED if an open stop covers the call, QUESTIONS_FULL, CLOCK_BEHIND_LEDGER
   *   if the ledger time is more than a minute ahead of this writer's clock, CALL_DECIDED for a `once` question, and
   *   the errors of `append`
   */
  ask?(question: Question, options?: Pick<AppendOptions, 'once'>): Promise<AskedQuestion>
  /**
   * Records the outcome of an allowed call by its request id, also after a restart and from another process. The entry
   * repeats the call as the decision has it.
   *
   * @throws LedgerError (as a rejection) ENTRY_NOT_FOUND if the ledger has no decision with this request id,
   *   ENTRY_REFUSED if the call was denied, OUTCOME_RECORDED if it has an outcome, and the errors of `append`
   */
  recordOutcome?(requestId: string, outcome: OutcomeReport): Promise<AppendedEntry>
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
  /** The `entry_hash` of the first entry, which identifies the ledger; null for an empty ledger. */
  firstHash?(): Promise<Hash | null>
  /**
   * Returns the request ids of the questions without a decision, in the order of their entries, at most 10,000. The
   * deadline of some may have passed.
   */
  openQuestions?(filter?: OpenQuestionFilter): Promise<readonly string[]>
  /** Waits for pending appends, then releases files and locks. Subsequent appends reject with LEDGER_CLOSED. */
  close(): Promise<void>
}

/** An outcome. Default of the reasons: those of the decision. */
export type OutcomeReport = Pick<OutcomeBlock, 'status' | 'error_type' | 'error' | 'result'> &
  Partial<Pick<OutcomeBlock, 'reason' | 'reason_code'>> & {
    /** `created_at` of the entry, a ledger timestamp. */
    readonly createdAt: string
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
