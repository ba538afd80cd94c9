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

/** Maximum length of a message, which is enough for messages with a path or an address. */
const MESSAGE_LENGTH_MAX = 2000

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

export interface WitnessErrorDetails extends ErrorDetails {
  /** The size of the log's tree, according to the witness. */
  readonly witnessSize?: number
}

/**
 * An error with a code.
 *
 * - `SUBMISSION_INVALID`: an invalid add-checkpoint request
 * - `WITNESS_URL_INVALID`: an invalid witness address
 * - `WITNESS_UNREACHABLE`: the witness did not answer in time, or could not be reached
 * - `WITNESS_REFUSED`: the witness refused the request
 * - `WITNESS_ANSWER_INVALID`: an invalid answer, or an invalid cosignature
 * - `WITNESS_AHEAD`: the witness cosigned a larger tree of the log; `witnessSize` is the size of that tree
 * - `WITNESS_CONFLICT`: the witness cosigned a tree of the log that the checkpoint does not extend
 * - `CLOCK_BEHIND`: the witness clock is more than a minute earlier than the last cosignature for the log
 * - `LISTEN_FAILED`: a server cannot listen on its address
 * - `STORE_NOT_A_STORE`: the file is not a witness store and was left unchanged
 * - `STORE_DAMAGED`: the store has content that this package cannot have written
 * - `STORE_FAILED`: the store cannot be opened, read or written
 *
 * The message is one line in lower case. It is safe to print, even if a path or a witness's answer contains control
 * characters. `hint`, if present, says what to do next.
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
