import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'

/** The closed set of error codes of this package. Programs should use the code, never the message. */
export type WitnessErrorCode =
  | 'SUBMISSION_INVALID'
  | 'WITNESS_URL_INVALID'
  | 'WITNESS_UNREACHABLE'
  | 'WITNESS_REFUSED'
  | 'WITNESS_ANSWER_INVALID'
  | 'WITNESS_AHEAD'
  | 'WITNESS_CONFLICT'
  | 'CLOCK_BEHIND'
  | 'LISTEN_FAILED'
  | 'STORE_NOT_A_STORE'
  | 'STORE_DAMAGED'
  | 'STORE_FAILED'

/** Enough for every message with a path or an address. */
const MESSAGE_LENGTH_MAX = 2000

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

export interface WitnessErrorDetails extends ErrorDetails {
  /** Size of the log's tree according to the witness. */
  readonly witnessSize?: number
}

/**
 * An error with a code.
 *
 * - `SUBMISSION_INVALID`: an invalid add-checkpoint request
 * - `WITNESS_URL_INVALID`: an invalid address of a witness
 * - `WITNESS_UNREACHABLE`: no answer in time, or no connection
 * - `WITNESS_REFUSED`: the witness refused
 * - `WITNESS_ANSWER_INVALID`: an invalid answer, or an invalid cosignature
 * - `WITNESS_AHEAD`: the witness cosigned a larger tree of the log; `witnessSize` is its size
 * - `WITNESS_CONFLICT`: the witness cosigned a tree of the log that the checkpoint does not extend
 * - `CLOCK_BEHIND`: the clock of the witness is more than a minute before its last cosignature of the log
 * - `LISTEN_FAILED`: a server cannot listen on its address
 * - `STORE_NOT_A_STORE`: a file that is not a witness store; it was left unchanged
 * - `STORE_DAMAGED`: a store with content that cannot have been written by this package
 * - `STORE_FAILED`: a store that cannot be opened, read or written
 *
 * The message is one line in lower case and safe to print, whatever a path or a witness contains. `hint`, if
 * present, says what to do next.
 */
export class WitnessError extends SudoAgentError<WitnessErrorCode> {
  override readonly name = 'WitnessError'
  readonly witnessSize: number | undefined

  constructor(code: WitnessErrorCode, message: string, { witnessSize, ...details }: WitnessErrorDetails = {}) {
    super(code, oneLine(message), details)
    this.witnessSize = witnessSize
  }
}

/** Shows characters that could move the cursor or reorder text as code points. */
function oneLine(text: string): string {
  return text.slice(0, MESSAGE_LENGTH_MAX).replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
