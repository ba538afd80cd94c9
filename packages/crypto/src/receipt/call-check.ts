/** Checks of a decision, and of a decision with its outcome, beyond those that every entry needs. */
import { bytesEqual } from '../bytes/bytes.js'
import { isApprovalLate } from '../entry/approval-deadline.js'
import type { CallContent, ReceiptDecision, ReceiptOutcomeContent } from './content.js'
import type { CheckedEntry } from './entry-check.js'
import type { ReceiptFindings } from './finding.js'

export function checkDecision(findings: ReceiptFindings, content: CallContent<ReceiptDecision>): void {
  const { shown, approvalBinding: binding } = content
  if (shown.decision_hash_checked && content.hashDecision(shown.created_at) !== shown.decision_hash) {
    findings.add('DECISION_HASH_MISMATCH', 'decision_hash is not the hash of the decision in the entry')
  }
  if (content.otherPolicyHash !== null) {
    findings.add('POLICY_HASH_MISMATCH', 'policy_hash is not the hash of the policy in the entry')
  }
  if (content.lacksApproval) {
    findings.add('FIELD_MISMATCH', 'the call was allowed without the approval that the policy required')
  }
  if (shown.approval !== null && shown.approval.requirement !== null && shown.approval.approval_id !== shown.request_id)
    findings.add('FIELD_MISMATCH', 'the approval names a question of a different call')
  // A denied call does not need an approval, so the rest of its approval is not checked.
  if (shown.approval === null || shown.effect === 'deny') return
  if (shown.approval.state !== 'approved') {
    findings.add('FIELD_MISMATCH', 'the call was allowed, but its approval was not granted')
  }
  const bound =
    binding?.request_id === shown.request_id &&
    binding.policy_hash === shown.policy_hash &&
    binding.decision_hash === shown.decision_hash
  if (!bound)
    findings.add('FIELD_MISMATCH', 'the call was allowed under an approval that was given for a different call')
  if (isApprovalLate(shown.approval, shown.recorded_at)) {
    findings.add('APPROVAL_EXPIRED', 'the call was allowed under an approval whose deadline had passed')
  }
}

/** Checks that the outcome belongs to the decision. Fields that both entries state are compared elsewhere. */
export function checkOutcome(
  findings: ReceiptFindings,
  decision: CheckedEntry<CallContent<ReceiptDecision>>,
  outcome: CheckedEntry<CallContent<ReceiptOutcomeContent>>,
): void {
  if (outcome.stated.ledger_position <= decision.stated.ledger_position) {
    findings.add('FIELD_MISMATCH', 'outcome: the entry does not follow its decision')
  }
  if (decision.content?.shown.effect === 'deny') {
    findings.add('FIELD_MISMATCH', 'outcome: a denied call cannot have an outcome')
  }
  if (decision.content !== null && outcome.content !== null) {
    checkSameCall(findings, decision.content, outcome.content)
  }
  const [a, b] = [decision.proven?.checkpoint, outcome.proven?.checkpoint]
  if (a === undefined || b === undefined) return
  if (a.origin !== b.origin) {
    findings.add('CHECKPOINT_INVALID', 'outcome: the entry and its decision are in different logs')
  } else if (a.size === b.size && !bytesEqual(a.root, b.root)) {
    const hint = 'keep this receipt: it proves that the log has two histories'
    findings.add('CHECKPOINT_INVALID', 'the log has signed two different trees of the same size', hint)
  }
}

/**
 * Checks that decision and outcome agree on the action, agent and parameters, and that the outcome was not recorded
 * before the decision.
 */
function checkSameCall(
  findings: ReceiptFindings,
  decision: CallContent<ReceiptDecision>,
  outcome: CallContent<ReceiptOutcomeContent>,
): void {
  const isSame =
    outcome.agentId === decision.agentId &&
    outcome.hashDecision(decision.shown.created_at) === decision.shown.decision_hash
  if (outcome.otherPolicyHash !== null) {
    findings.add('POLICY_HASH_MISMATCH', 'outcome: policy_hash is not the hash of the policy in the entry')
  }
  if (!isSame) findings.add('DECISION_HASH_MISMATCH', 'outcome: the entry and its decision describe different calls')
  const [decided, ended] = [decision.shown.recorded_at, outcome.shown.recorded_at]
  if (decided !== null && ended !== null && ended < decided) {
    findings.add('CLOCK_WENT_BACK', 'outcome: the entry was recorded before its decision')
  }
}
