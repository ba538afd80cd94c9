import type { SudoAgentError } from '@sudoagent/crypto'

/** The exit codes of `sudoagent`. Scripts depend on them, so their meaning never changes. */
export const EXIT = {
  /** Done; verified. */
  ok: 0,
  /** The evidence does not verify, or the requested entry was not found. */
  no: 1,
  /** Usage error. */
  usage: 2,
  /** The command failed: file missing, unreadable, not a ledger, no permission, disk full. */
  failed: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command: the message says what failed and where, the hint what to do next. `main.ts` prints both. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: ExitCode
  readonly hint: string | undefined

  constructor(exit: ExitCode, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exit = exit
    this.hint = hint
  }
}

/**
 * The reader closed standard output (`| head -1`). The reader needs no more output, so the command stops without an
 * error.
 */
export class PipeClosed extends Error {
  override readonly name = 'PipeClosed'
}

/**
 * Recognises a package error by its members: importing its base class would load the packages even for
 * `--help`, and `@sudoagent/postgres` is installed with its own copy.
 */
export function isCoded(error: unknown): error is SudoAgentError {
  return error instanceof Error && 'code' in error && 'hint' in error && 'requestId' in error
}
