/**
 * Requests the approval of one call in two ways at once, and uses the first answer. A person can answer in a different
 * terminal, through the approval store. The user of the client can answer if the client supports elicitation and the
 * deployment allows it. The agent cannot reach the store through any method, tool or argument.
 */
import {
  type ApprovalAnswer,
  type ApprovalRequest,
  type ApprovalStore,
  type Approver,
  PollingApprover,
} from '@sudoagent/core'
import { WaitEnded } from '@sudoagent/core/boundary'

/** The approver's view of a call. */
export interface AskingCall {
  /** Called when a person is asked. */
  readonly onAsked: (request: ApprovalRequest) => void
  /** Whether the session has too many open questions for this one. */
  readonly isFull: (request: ApprovalRequest) => boolean
  /** Asks the user of the client. @returns null if the client cannot be asked about this call */
  readonly askClient: (request: ApprovalRequest, store: ApprovalStore) => Promise<ApprovalAnswer | null> | null
  /** Called when the client need not answer any more. */
  readonly withdraw: (request: ApprovalRequest) => void
}

export class FirstAnswerApprover implements Approver {
  readonly #call: AskingCall
  readonly #store = new PollingApprover()

  constructor(call: AskingCall) {
    this.#call = call
  }

  async approve(
    request: ApprovalRequest,
    { signal, store }: { readonly signal: AbortSignal; readonly store: ApprovalStore },
  ): Promise<ApprovalAnswer> {
    const { onAsked, isFull, askClient, withdraw } = this.#call
    onAsked(request)
    if (isFull(request)) return { approved: false, reason: 'too many approvals are pending' }
    const answered = new AbortController()
    try {
      const until = AbortSignal.any([signal, answered.signal])
      const fromStore = Promise.resolve(this.#store.approve(request, { signal: until, store }))
      // If the client does not answer, the store's answer is used.
      const fromClient = askClient(request, store)?.then((answer) => answer ?? fromStore)
      return await Promise.race([fromClient ?? fromStore, fromStore])
    } finally {
      answered.abort('answered elsewhere')
      // The form of a call that became pending stays open: its answer goes to the store.
      if (!(signal.reason instanceof WaitEnded)) withdraw(request)
    }
  }
}
