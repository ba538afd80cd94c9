import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
import { escapeForTerminal } from '@sudoagent/crypto/text'

/**
 * Errors in the ledger store or in the use of a ledger. `verify` reports defects in the ledger content as findings.
 */
export type LedgerErrorCode =
  | 'LEDGER_NOT_FOUND'
  | 'LEDGER_IS_DIRECTORY'
  | 'LEDGER_NOT_READABLE'
  | 'LEDGER_NOT_A_LEDGER'
  | 'LEDGER_LOCKED'
  | 'LEDGER_BUSY'
  | 'LEDGER_WRITE_FAILED'
  | 'LEDGER_CLOSED'
  | 'LEDGER_DAMAGED'
  | 'LEDGER_FINISHED'
  | 'LEDGER_EXISTS'
  | 'DRIVER_MISSING'
  | 'KEY_REFUSED'
  | 'ORIGIN_REFUSED'
  | 'ENTRY_REFUSED'
  | 'ENTRY_NOT_FOUND'
  | 'QUERY_INVALID'
  | 'STATE_INVALID'
  | 'STATE_REFUSED'
  | 'FILE_NOT_PRIVATE'
  | 'FILE_FOREIGN_OBJECT'
  | 'STOPPED'
  | 'STOP_NOT_FOUND'
  | 'LEDGER_NEWER'
  | 'QUESTION_CLOSED'
  | 'QUESTIONS_FULL'
  | 'CLOCK_BEHIND_LEDGER'
  | 'CALL_DECIDED'
  | 'OUTCOME_RECORDED'

/** Default hints, for errors that are thrown without a hint. */
const HINTS: ReadonlyMap<LedgerErrorCode, string> = new Map([
  ['LEDGER_NOT_FOUND', 'check the path of the ledger'],
  ['LEDGER_NOT_READABLE', 'check the owner and the mode of the ledger'],
  ['LEDGER_NOT_A_LEDGER', 'give the path of a SQLite or JSONL ledger'],
  ['LEDGER_DAMAGED', 'keep the file unchanged and compare it with a backup'],
  ['LEDGER_BUSY', 'try again when the other process has finished'],
  ['LEDGER_CLOSED', 'open the ledger again'],
  ['ENTRY_NOT_FOUND', 'find the entry with `sudoagent search`'],
  ['STOPPED', '`sudoagent stops` lists the open stops'],
  ['STOP_NOT_FOUND', '`sudoagent stops` lists the open stops'],
  ['LEDGER_NEWER', 'upgrade this program; nothing was written'],
  ['ENTRY_REFUSED', '`sudoagent inspect` shows the keys of the ledger'],
  ['QUESTION_CLOSED', 'repeat the call to ask again'],
  ['QUESTIONS_FULL', '`sudoagent approvals list` shows the open questions; answer them, or wait until they expire'],
  ['CLOCK_BEHIND_LEDGER', 'set the clock of this machine'],
  ['CALL_DECIDED', '`sudoagent show` shows the entries of the call'],
  ['OUTCOME_RECORDED', '`sudoagent show` shows the entries of the call'],
  ['STATE_INVALID', 'delete the state file; the next run then verifies everything'],
])

/** An entry of a call. */
export interface RecordedEntry {
  readonly position: number
  /** The effect of a decision; null for other entries. */
  readonly effect: 'allow' | 'deny' | null
}

export interface LedgerErrorDetails extends ErrorDetails {
  readonly recorded?: RecordedEntry | null
}

/**
 * An error with a code from a closed set, a message, and a hint that names the next step. The message is one line,
 * states what failed and where, and is safe to print whatever a path or an entry contains.
 */
export class LedgerError extends SudoAgentError<LedgerErrorCode> {
  override readonly name = 'LedgerError'

  /** The entry of the call that is already recorded, for the errors that name one; otherwise null. */
  readonly recorded: RecordedEntry | null

  constructor(code: LedgerErrorCode, message: string, { recorded, ...details }: LedgerErrorDetails = {}) {
    super(code, escapeForTerminal(message), { ...details, hint: details.hint ?? HINTS.get(code) })
    this.recorded = recorded ?? null
  }
}
