import { readFields, requireText } from '../check.js'
import { type ApprovalAnswer, type Approver, NAME_LENGTH_MAX } from './approval.js'

export interface ImmediateApproverOptions {
  /** The approver's name in the ledger. Default: `immediate`. */
  readonly approverId?: string
}

/** Answers every request immediately, for demos, tests and CI. With `true`, calls run without a human decision. */
export class ImmediateApprover implements Approver {
  readonly #approved: boolean
  readonly #approverId: string

  /**
   * @throws TypeError if `approved` is not a boolean, so that no other truthy value approves calls
   * @example new ImmediateApprover(false, { approverId: 'ci' })
   */
  constructor(approved: boolean, options: ImmediateApproverOptions = {}) {
    const approverId = readFields('immediate approver', options, ['approverId']).get('approverId') ?? 'immediate'
    if (typeof approved !== 'boolean') throw new TypeError('`approved` must be true or false')
    this.#approved = approved
    this.#approverId = requireText('approverId', approverId, NAME_LENGTH_MAX)
  }

  approve(): ApprovalAnswer {
    return { approved: this.#approved, approverId: this.#approverId }
  }
}
