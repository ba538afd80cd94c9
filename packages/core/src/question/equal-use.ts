// Finds an earlier run of an equal call, so that the person who is asked notices a repetition: a client that timed out
// may repeat a call that was approved and ran.
import { encodeCanonical } from '@sudoagent/crypto/json'
import { APPROVAL_LIST_MAX, type ApprovalRequest, type ApprovalStore } from '../approval/approval.js'

/** How far back to look, in milliseconds. */
const EQUAL_USE_MS = 600_000

/**
 * Finds the latest use of an approval for an equal call of the same agent within the last ten minutes: the same action
 * and the same arguments as the approver sees them, so two calls that differ only in a redacted value count as equal.
 *
 * @returns null if there is none, and for a store that has no `list` or that fails
 * @example if ((await latestEqualUse(store, request, new Date())) !== null) warn('an equal call ran')
 */
export async function latestEqualUse(
  store: ApprovalStore,
  { approvalId, action, agentId, args, kwargs }: ApprovalRequest,
  now: Date,
): Promise<Date | null> {
  try {
    const shown = encodeCanonical({ args, kwargs })
    const approved = await store.list({ state: 'approved', action, agentId, limit: APPROVAL_LIST_MAX }, now)
    const uses = approved
      .filter(
        (record) =>
          record.approvalId !== approvalId && encodeCanonical({ args: record.args, kwargs: record.kwargs }) === shown,
      )
      .flatMap(({ consumedAt }) => consumedAt ?? [])
      .filter((usedAt) => usedAt.getTime() > now.getTime() - EQUAL_USE_MS)
    return uses.sort((a, b) => b.getTime() - a.getTime())[0] ?? null
  } catch {
    return null
  }
}

/** Says when the equal call ran: `an equal call of this agent ran 12 s ago, at 2026-…`. */
export function equalUseText(usedAt: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - usedAt.getTime()) / 1_000))
  return `an equal call of this agent ran ${seconds} s ago, at ${usedAt.toISOString()}`
}
