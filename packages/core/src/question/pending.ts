import type { ApprovalRequest } from '../approval/approval.js'

/** A call that waits for an approval: its question is recorded, and no process waits for the answer. */
export interface PendingApproval {
  readonly status: 'pending'
  /** Identifies the question. It is the request id of the call, and is given to `resume`. */
  readonly approvalId: string
  readonly requestId: string
  /** Why the policy requires an approval. */
  readonly reason: string
  /** Answers at or after this time are not accepted. */
  readonly expiresAt: Date
}

/**
 * An abort reason for the signal of a call that waits for an approval: the wait ends, and the question stays open. With
 * options, `authorize` and `resume` then return the pending approval. Any other abort reason denies the call.
 *
 * @example
 * const answer = await engine.authorize({ ...call, signal }, {})
 * controller.abort(new WaitEnded()) // the client is gone; it may repeat the call later
 */
export class WaitEnded {}

/** Thrown by the approval step of a call that does not wait. Callers never receive it. */
export class StillPending extends Error {
  readonly pending: PendingApproval

  constructor(pending: PendingApproval) {
    super('the call waits for an approval')
    this.pending = Object.freeze(pending)
  }
}

export function pendingOf({ approvalId, reason, expiresAt }: ApprovalRequest): PendingApproval {
  return { status: 'pending', approvalId, requestId: approvalId, reason, expiresAt }
}
