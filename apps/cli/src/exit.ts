/** What a process of ours ends with. Scripts branch on these, so they never change meaning. */
export const EXIT = {
  /** Done; verified. */
  ok: 0,
  /** The evidence does not verify, or what was asked for is not in it. */
  no: 1,
  /** Wrong usage. */
  usage: 2,
  /** Could not do it: file missing, unreadable, not a ledger, no permission, disk full. */
  failed: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with one line saying what and where, and a hint saying what to do next. `main.ts` prints both. */
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

/** The reader of our output went away (`| head -1`): it has what it wanted, so this is no error, only a reason to stop. */
export class PipeClosed extends Error {
  override readonly name = 'PipeClosed'
}
