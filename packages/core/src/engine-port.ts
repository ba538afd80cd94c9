// Defines the engine interfaces for adapters, guards and other frameworks. The engine may run in a different process.
import type { ApprovalRecord, Approver, AttachCheck } from './approval/approval.js'
import type { Authorization } from './boundary/boundary.js'
import type { CallOutcome } from './call/recorder.js'
import type { Denial } from './error.js'
import type { CallOptions } from './options.js'
import type { PendingApproval } from './question/pending.js'

/** A call for `authorize`: the action and its arguments. */
export interface AuthorizeCall extends Omit<CallOptions, 'action'> {
  readonly action: string
  readonly args?: readonly unknown[]
  /**
   * The request id, unique in its ledger, at most 128 characters. Default: an id that the engine generates.
   */
  readonly requestId?: string
  /**
   * With `requestId`: whether the call is denied with `CALL_DECIDED` if the ledger has a decision or a question of this
   * request id. Two processes that are given the same request then run it once. Default: false.
   */
  readonly once?: boolean
  /** Asked about this call instead of the engine's approver. */
  readonly approver?: Approver
  /**
   * Whether the call may attach to an open question of an equal call; `resume` asks it, too. Default: a call attaches
   * if it has no `requestId`.
   */
  readonly attach?: AttachCheck
}

/** A call for `resume`. Its request id is that of the question. */
export type ResumeCall = Omit<AuthorizeCall, 'requestId' | 'once'>

/** Whether to wait for the answer to a question. */
export interface WaitOptions {
  /**
   * False: return the pending approval at once. The approver is not called; approvers see the question in the approval
   * store. Default: true.
   */
  readonly wait?: boolean
}

/** Decides about calls that the caller runs, and records their outcomes. `SudoEngine` implements it. */
export interface Engine {
  /**
   * Decides about a call and records the decision. If the call is allowed, run the tool with the authorization's
   * `args` and record the outcome.
   *
   * @returns the authorization, or the denial. With options, also a pending approval: if `wait` is false, or if the
   *   call's signal aborts with `WaitEnded`
   * @throws (as a rejection) SudoAgentError. In this case, too, the call must not run
   */
  authorize(call: AuthorizeCall): Promise<Authorization | Denial>
  authorize(call: AuthorizeCall, options: WaitOptions): Promise<Authorization | Denial | PendingApproval>
  /** Records the outcome of an authorized call, once. @returns whether it was recorded */
  record(authorization: Authorization, outcome: CallOutcome): Promise<boolean>
  /**
   * Records that a call returned `result`. If the result is pending, the outcome is recorded when the result has ended.
   *
   * @returns the value to pass on
   */
  recordResult<T>(authorization: Authorization, result: T): Promise<T>
}

/** An engine whose calls can wait for an approval longer than their caller. */
export interface WaitingEngine extends Engine {
  /** Decides about a call whose question is recorded. */
  resume(approvalId: string, call: ResumeCall): Promise<Authorization | Denial>
  resume(approvalId: string, call: ResumeCall, options: WaitOptions): Promise<Authorization | Denial | PendingApproval>
  /** The open questions of the engine's agent. */
  questions(): Promise<readonly ApprovalRecord[]>
}
