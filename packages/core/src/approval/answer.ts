import { readFields, requireText } from '../check.js'
import { type ApprovalBinding, NAME_LENGTH_MAX, parseBinding, REASON_LENGTH_MAX } from './approval.js'

/** A validated approver's answer with all fields present. */
export interface CheckedAnswer {
  readonly approved: boolean
  readonly approverId: string | null
  readonly note: string | null
  readonly binding: ApprovalBinding | null
}

/**
 * Validates an approver's answer. Approvers are untrusted code and may run on a different machine, so values are not
 * converted: `1`, `"yes"` and `{ approved: "true" }` are errors, not approvals. Each field is read only once.
 *
 * @throws TypeError unless the answer is a boolean, or an object with a boolean `approved` and optionally
 *   `approverId`, `reason` and `binding`
 * @example parseAnswer(true)   // { approved: true, approverId: null, note: null, binding: null }
 */
export function parseAnswer(answer: unknown): CheckedAnswer {
  if (typeof answer === 'boolean')
    return Object.freeze({ approved: answer, approverId: null, note: null, binding: null })
  const fields = readFields('approval answer', answer, ['approved', 'approverId', 'reason', 'binding'])
  const approved = fields.get('approved')
  if (typeof approved !== 'boolean') throw new TypeError('`approved` of an approval answer must be true or false')
  const approverId = fields.get('approverId') ?? null
  const reason = fields.get('reason') ?? null
  const binding = fields.get('binding') ?? null
  return Object.freeze({
    approved,
    approverId: approverId === null ? null : requireText('approverId', approverId, NAME_LENGTH_MAX),
    note: reason === null ? null : requireText('reason', reason, REASON_LENGTH_MAX, true),
    binding: binding === null ? null : parseBinding(binding),
  })
}
