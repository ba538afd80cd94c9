import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'

/**
 * The closed set of errors that stop a guard. Programs test the code, never the message.
 *
 * - `SERVER_NOT_STARTED`: the command of the server cannot be started
 * - `SERVER_ENDED`: a message for a server that has ended
 * - `CLIENT_GONE`: a message for a client that has disconnected
 * - `LISTEN_FAILED`: the guard cannot listen on the address
 * - `TOOL_PINS_FAILED`: the file of tool definitions cannot be used
 */
export type GuardErrorCode =
  | 'SERVER_NOT_STARTED'
  | 'SERVER_ENDED'
  | 'CLIENT_GONE'
  | 'LISTEN_FAILED'
  | 'TOOL_PINS_FAILED'

const HINTS: Readonly<Record<GuardErrorCode, string>> = {
  SERVER_NOT_STARTED: 'check the command, and PATH',
  SERVER_ENDED: 'open a new session',
  CLIENT_GONE: 'open a new session',
  LISTEN_FAILED: 'give another address or port, or port 0 for a free one',
  TOOL_PINS_FAILED: 'name the SQLite file of the tool definitions',
}

/** The guard cannot work. A denied call is not an error of this kind, but a result for the client. */
export class GuardError extends SudoAgentError<GuardErrorCode> {
  override readonly name = 'GuardError'

  constructor(code: GuardErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...details, hint: details.hint ?? HINTS[code] })
  }
}
