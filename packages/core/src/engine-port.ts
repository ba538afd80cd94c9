// What adapters and other frameworks need of an engine: in this process, or in another one.
import type { Authorization } from './boundary/boundary.js'
import type { CallOutcome } from './boundary/recorder.js'
import type { Denial } from './error.js'
import type { CallOptions } from './options.js'

/** A call for `authorize`: what is to be done, with what. */
export interface AuthorizeCall extends Omit<CallOptions, 'action'> {
  readonly action: string
  readonly args?: readonly unknown[]
}

/** Decides about calls that somebody else runs, and records how they ended. `SudoEngine` is one. */
export interface Engine {
  /**
   * Decides, and puts the decision on record. Then run the tool with `args` of the authorization, and tell how it ended.
   *
   * @returns the authorization, or the denial
   * @throws (as a rejection) SudoAgentError: the call must not run either
   */
  authorize(call: AuthorizeCall): Promise<Authorization | Denial>
  /** Records how an authorized call ended, once. @returns whether it is on record */
  record(authorization: Authorization, outcome: CallOutcome): Promise<boolean>
  /** Records that a call returned `result`; what is still to be read is recorded when it has ended. @returns what to hand on */
  recordResult<T>(authorization: Authorization, result: T): Promise<T>
}
