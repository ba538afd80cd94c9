import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
import { escapeForTerminal } from '@sudoagent/crypto/text'

/** Errors of a ledger's store and of its use. Defects of its content are findings of `verify`. */
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

/** Default hints, for errors that are thrown without one. */
const HINTS: ReadonlyMap<LedgerErrorCode, string> = new Map([
  ['LEDGER_NOT_FOUND', 'check the path of the ledger'],
  ['LEDGER_NOT_READABLE', 'check the owner and the mode of the ledger'],
  ['LEDGER_NOT_A_LEDGER', 'give a SQLite or JSONL ledger'],
  ['LEDGER_DAMAGED', 'keep the file unchanged and compare it with a backup'],
  ['LEDGER_BUSY', 'try again when the other process has finished'],
  ['LEDGER_CLOSED', 'open the ledger again'],
  ['ENTRY_NOT_FOUND', 'find it with `sudoagent search`'],
  ['ENTRY_REFUSED', '`sudoagent inspect` shows the keys of the ledger'],
  ['STATE_INVALID', 'delete it; the next run then verifies everything'],
])

/**
 * An error with one line of text that states what failed and where, safe to print whatever a path or an entry
 * contains; a code from a closed set; and a hint for the next step.
 */
export class LedgerError extends SudoAgentError<LedgerErrorCode> {
  override readonly name = 'LedgerError'

  constructor(code: LedgerErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, escapeForTerminal(message), { ...details, hint: details.hint ?? HINTS.get(code) })
  }
}
