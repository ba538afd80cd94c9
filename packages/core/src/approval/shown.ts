// Whether a request shows the call that its hashes cover. An approver checks this on the values that it is about to
// show, before it asks.
import { hashShownCall } from '@sudoagent/crypto/entry'
import type { ApprovalRequest } from './approval.js'

export { redactedText } from '@sudoagent/crypto/entry'

/** The reason of a denial by an approver that was given a request whose hashes differ. */
export const SHOWN_CALL_DIFFERS = 'the request does not show the call that its hashes cover'

/** The mark of everything that is shown and that none of the three hashes covers. */
export const NOT_SIGNED = 'not part of what you sign'

/**
 * Recomputes the hashes of a call from the values that a request shows, and compares them with the hashes that an
 * approval is bound to. An approver that shows requests calls it before it asks, and denies if the result is false.
 *
 * @returns whether all hashes are equal; true for a request without `decision` and `asked`, which an approval store
 *   returned and which does not have all values that the hashes cover
 * @example if (!showsBoundCall(request)) return { approved: false, reason: SHOWN_CALL_DIFFERS }
 */
export function showsBoundCall(request: ApprovalRequest): boolean {
  const { approvalId, binding, action, agentId, args, kwargs, authority, decision, asked } = request
  if (decision === undefined) return asked === undefined
  try {
    const { decisionHash, authorityHash, requirementHash } = hashShownCall({
      requestId: approvalId,
      decisionAt: decision.decisionAt,
      policyHash: binding.policyHash,
      action,
      actor: { principal: agentId, source: decision.source },
      parameters: { args, kwargs },
      authority: authority ?? null,
      requirement: asked?.requirement ?? null,
    })
    return (
      approvalId === binding.requestId &&
      decisionHash === binding.decisionHash &&
      authorityHash === decision.authorityHash &&
      requirementHash === (asked?.requirementHash ?? null)
    )
  } catch {
    // A value without a canonical form is not the value that was hashed.
    return false
  }
}
