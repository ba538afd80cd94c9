import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'

/** The closed set of things that can go wrong in this package. Programs branch on the code, never on the message. */
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

/** Enough for every message of ours, with a path or an address in it. */
const MESSAGE_CHARS_MAX = 2000

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

export interface WitnessErrorDetails extends ErrorDetails {
  /** Of the log's tree, as the witness says. */
  readonly witnessSize?: number
}

/**
 * A refusal with a code.
 *
 * - `SUBMISSION_INVALID`: what is no add-checkpoint request
 * - `WITNESS_URL_INVALID`: an address that no witness can have
 * - `WITNESS_UNREACHABLE`: no answer in time, or no connection
 * - `WITNESS_REFUSED`: an answer that says no
 * - `WITNESS_ANSWER_INVALID`: an answer that is none, or a cosignature that does not hold
 * - `WITNESS_AHEAD`: the witness cosigned a larger tree of the log; `witnessSize` says how large
 * - `WITNESS_CONFLICT`: the witness cosigned a tree of the log that the checkpoint does not extend
 * - `CLOCK_BEHIND`: the clock of the witness is more than a minute before its last cosignature of the log
 * - `LISTEN_FAILED`: a server that cannot listen where it should
 * - `STORE_NOT_A_STORE`: a file that is something else than a witness's store; it was left alone
 * - `STORE_DAMAGED`: a store whose content cannot be what was written
 * - `STORE_FAILED`: a store that cannot be opened, read or written
 *
 * The message is one line in lower case, safe to print whatever a path or a witness says. `hint`, when there is one, says
 * what to do next.
 */
export class WitnessError extends SudoAgentError<WitnessErrorCode> {
  override readonly name = 'WitnessError'
  readonly witnessSize: number | undefined

  constructor(code: WitnessErrorCode, message: string, { witnessSize, ...details }: WitnessErrorDetails = {}) {
    super(code, oneLine(message), details)
    this.witnessSize = witnessSize
  }
}

/** Shows what could move a cursor or reorder text as a code point. */
function oneLine(text: string): string {
  return text.slice(0, MESSAGE_CHARS_MAX).replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
