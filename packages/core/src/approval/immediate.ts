import { readFields, requireText } from '../check.js'
import { type ApprovalAnswer, type Approver, NAME_CHARACTERS_MAX } from './approval.js'

export interface ImmediateApproverOptions {
  /** Who the ledger says has answered; `immediate` unless given. */
  readonly approverId?: string
}

/** Gives every request the same answer at once: for demos, tests and CI. With `true` it takes the human out of the loop. */
export class ImmediateApprover implements Approver {
  readonly #approved: boolean
  readonly #approverId: string

  /**
   * @throws TypeError unless `approved` is exactly `true` or `false`: a truthy accident must not approve
   * @example new ImmediateApprover(false, { approverId: 'ci' })
   */
  constructor(approved: boolean, options: ImmediateApproverOptions = {}) {
    const approverId = readFields('immediate approver', options, ['approverId']).get('approverId') ?? 'immediate'
    if (typeof approved !== 'boolean') throw new TypeError('`approved` must be true or false')
    this.#approved = approved
    this.#approverId = requireText('approverId', approverId, NAME_CHARACTERS_MAX)
  }

  approve(): ApprovalAnswer {
    return { approved: this.#approved, approverId: this.#approverId }
  }
}
