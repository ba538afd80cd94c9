import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'

/**
 * The closed set of errors that stop a guard. Programs test the code, never the message.
 *
 * - `SERVER_NOT_STARTED`: the server command cannot be started
 * - `SERVER_ENDED`: the server disconnected, so a message cannot be sent to it
 * - `CLIENT_GONE`: the client disconnected, so a message cannot be sent to it
 * - `LISTEN_FAILED`: the guard cannot listen on the address
 * - `TOOL_PINS_FAILED`: the file with the tool definitions cannot be used
 */
export type GuardErrorCode =
  | 'SERVER_NOT_STARTED'
  | 'SERVER_ENDED'
  | 'CLIENT_GONE'
  | 'LISTEN_FAILED'
  | 'TOOL_PINS_FAILED'

const HINTS: Readonly<Record<GuardErrorCode, string>> = {
  SERVER_NOT_STARTED: 'check the command and PATH',
  SERVER_ENDED: 'open a new session',
  CLIENT_GONE: 'open a new session',
  LISTEN_FAILED: 'use a different address or port, or port 0 for any free port',
  TOOL_PINS_FAILED: 'pass the path of the SQLite file with the tool definitions',
}

/** Thrown when the guard cannot work. A denied call does not throw: the client receives a result that says so. */
export class GuardError extends SudoAgentError<GuardErrorCode> {
  override readonly name = 'GuardError'

  constructor(code: GuardErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...details, hint: details.hint ?? HINTS[code] })
  }
}
