import { printable } from '@sudoagent/crypto'

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

/**
 * An error with one line of text that states what failed and where, safe to print whatever a path or an entry
 * contains; a code from a closed set; and a hint for the next step.
 */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code: LedgerErrorCode
  readonly hint: string | undefined

  constructor(code: LedgerErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(printable(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}
