/** Explains what a receipt proves about a decision, its approval and its outcome, and what it does not prove. */
import { redactedText } from '../entry/question.js'
import type { ReceiptApproval, ReceiptDecision } from './content.js'
import type { ReceiptOutcome, ReceiptReport } from './verify.js'

const ASSERTED = "the operator's word (`asserted`)"

/** The proven statements about the call of a verified report; empty without the content of a decision. */
export function callProven({ decision, outcome }: ReceiptReport): readonly string[] {
  if (decision === null) return []
  const sentences: string[] = []
  if (decision.decision_hash_checked) {
    sentences.push(
      'the decision belongs to this call: its hash covers the actor, the action, the parameters, the time and the policy',
    )
  }
  if (decision.approval !== null) sentences.push(...approvalProven(decision.effect, decision.approval))
  if (outcome !== null) sentences.push(outcomeProven(outcome))
  return sentences
}

function approvalProven(effect: ReceiptDecision['effect'], approval: ReceiptApproval): readonly string[] {
  const { approver_id: approver, requirement, redacted, state } = approval
  const given = effect === 'allow' ? ['the approval was given for this call only'] : []
  if (requirement === null) return given
  const role = effect === 'allow' ? 'as the approver' : 'as the approver who refused'
  const isAnswered = effect === 'allow' || state === 'denied'
  const { rule } = requirement
  return [
    ...given,
    ...(isAnswered
      ? [approver === null ? 'the log names no approver' : `the log names ${quoted(approver)} ${role}`]
      : []),
    `the log names ${rule === null ? 'no policy rule' : `the policy rule ${quoted(rule)}`} that required the approval`,
    `the log states how much of the call was redacted: ${redactedText(redacted ?? 0)}`,
  ]
}

function outcomeProven({ content, position }: ReceiptOutcome): string {
  const how = content.status === 'success' ? 'succeeded' : 'ended in an error'
  return `the ledger records that the call ${how}: entry ${position} of the same log`
}

/** The statements about the call that a verified report leaves open; empty without the content of a decision. */
export function callNotProven({ decision, outcome }: ReceiptReport): readonly string[] {
  if (decision === null) return []
  const sentences = [
    'that the parameters and the reason are true: the log records what the writer stated',
    "when the call happened: the times come from the writer's clock",
  ]
  if (!decision.decision_hash_checked) {
    sentences.push('that decision_hash belongs to this call: it covers a time that the entry does not record')
  }
  if (decision.effect === 'deny')
    return [...sentences, ...refusalNotProven(decision), 'that the action was not performed without the guard']
  return [...sentences, ...approvalNotProven(decision), outcomeNotProven(outcome)]
}

function refusalNotProven({ approval }: ReceiptDecision): readonly string[] {
  if (approval === null || approval.state !== 'denied' || approval.approver_id === null) return []
  return [`that ${quoted(approval.approver_id)} refused the call: ${ASSERTED}`]
}

function approvalNotProven({ approval }: ReceiptDecision): readonly string[] {
  const others = 'the receipt does not contain the other entries'
  if (approval === null) return [`that no stop was open and no question was asked: ${others}`]
  const { approver_id: approver, requirement } = approval
  const who = approver === null ? 'a person' : quoted(approver)
  return [
    requirement?.assurance === 'signed'
      ? `that ${who} approved the call: this version does not check the signatures of approvers`
      : `that ${who} approved the call, or was shown this call: ${ASSERTED}`,
    requirement === null
      ? `that no stop was open and no question was asked: ${others}`
      : `that no stop was open, and that the question was asked before the decision: ${others}`,
  ]
}

function outcomeNotProven(outcome: ReceiptOutcome | null): string {
  return outcome === null
    ? 'that the action was carried out, or how it ended: the receipt has no outcome'
    : 'that the action had the intended effect'
}

/** Quotes untrusted text. A backtick in the text would end the quotation early. */
export const quoted = (text: string): string => `\`${text.replaceAll('`', "'")}\``
