import type { ApprovalRecord } from '@sudoagent/core'

/** Returns the approval in the form that `--json` prints. */
export function approvalJson(record: ApprovalRecord): Readonly<Record<string, unknown>> {
  const { binding, decision, asked } = record
  return {
    approval_id: record.approvalId,
    state: record.state,
    action: record.action,
    agent_id: record.agentId,
    authority: record.authority ?? null,
    args: record.args,
    kwargs: record.kwargs,
    reason: record.reason,
    created_at: record.createdAt,
    expires_at: record.expiresAt,
    approver_id: record.approverId,
    note: record.note,
    resolved_at: record.resolvedAt,
    consumed_at: record.consumedAt,
    binding: {
      request_id: binding.requestId,
      policy_hash: binding.policyHash,
      decision_hash: binding.decisionHash,
    },
    decision:
      decision === undefined
        ? null
        : { decision_at: decision.decisionAt, source: decision.source, authority_hash: decision.authorityHash },
    asked:
      asked === undefined
        ? null
        : {
            ledger: asked.ledger,
            position: asked.position,
            requirement: asked.requirement,
            requirement_hash: asked.requirementHash,
            redacted: asked.redacted,
            policy_id: asked.policyId,
            policy_version: asked.policyVersion,
            metadata: asked.metadata,
            commitment: asked.commitment ?? null,
          },
  }
}
