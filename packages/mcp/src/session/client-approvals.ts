// The approvals of one session: creates the approver of each call, and keeps the forms at the client.
import type { ApprovalRequest, Approver } from '@sudoagent/core'
import type { MessageId } from '../wire/message-id.js'
import type { Peer } from '../wire/peer.js'
import { FirstAnswerApprover } from './approver.js'
import { elicitApproval } from './elicitation.js'
import { Forms } from './forms.js'

export interface ClientApprovalsParts {
  readonly client: Peer
  /** Whether the client can be asked about a call, and may answer. */
  readonly mayElicit: (request: ApprovalRequest) => boolean
  readonly clientName: () => string
  /** Whether the session has too many open questions for this one. */
  readonly isFull: (request: ApprovalRequest) => boolean
  readonly note: (text: string) => void
}

export class ClientApprovals {
  readonly #parts: ClientApprovalsParts
  readonly #forms: Forms

  constructor(parts: ClientApprovalsParts) {
    this.#parts = parts
    const { client, clientName, note } = parts
    this.#forms = new Forms({
      note,
      show: (asked, { signal, relatedTo, equalUse }) =>
        elicitApproval(
          (params, terms) => client.request('elicitation/create', params, { ...terms, relatedTo }),
          { clientName: clientName(), equalUse, note },
          asked,
          signal,
        ),
    })
  }

  /** @param relatedTo - the request that made the call */
  approverOf(relatedTo: MessageId, onAsked: (asked: ApprovalRequest) => void): Approver {
    const { isFull, mayElicit } = this.#parts
    return new FirstAnswerApprover({
      onAsked,
      isFull,
      askClient: (asked, store) => (mayElicit(asked) ? this.#forms.ask(asked, store, relatedTo) : null),
      withdraw: ({ approvalId }) => this.#forms.withdraw(approvalId),
    })
  }

  /** Closes the form of a call that is decided. */
  withdraw(requestId: string): void {
    this.#forms.withdraw(requestId)
  }
}
