// The approval forms that are open at the client of one session. The answer of a form goes to the approval store, so
// that it counts also for a call that became pending meanwhile.
import type { ApprovalAnswer, ApprovalRequest, ApprovalStore } from '@sudoagent/core'
import { latestEqualUse } from '@sudoagent/core/terminal'
import type { MessageId } from '../wire/message-id.js'

export interface FormsParts {
  /** Shows a form. @returns the answer; null if the client gave none */
  readonly show: (request: ApprovalRequest, terms: ShowTerms) => Promise<ApprovalAnswer | null>
  readonly note: (text: string) => void
}

export interface ShowTerms {
  /** Aborts when the form must be closed. */
  readonly signal: AbortSignal
  /** The request of the client that made the call. */
  readonly relatedTo: MessageId
  /** When an equal call of the agent ran; null if none ran lately. */
  readonly equalUse: Date | null
}

interface Form {
  readonly answer: Promise<ApprovalAnswer | null>
  readonly closing: AbortController
}

export class Forms {
  readonly #parts: FormsParts
  readonly #open = new Map<string, Form>()

  constructor(parts: FormsParts) {
    this.#parts = parts
  }

  /** Shows a form for a question, unless one is open. @returns the stored answer; null if there is none */
  ask(request: ApprovalRequest, store: ApprovalStore, relatedTo: MessageId): Promise<ApprovalAnswer | null> {
    const { approvalId } = request
    const open = this.#open.get(approvalId)
    if (open !== undefined) return open.answer
    const closing = new AbortController()
    const { signal } = closing
    const answer = this.#answer(request, store, { signal, relatedTo }).finally(() => this.#open.delete(approvalId))
    this.#open.set(approvalId, { answer, closing })
    return answer
  }

  /** Closes the form of a question that is decided. */
  withdraw(approvalId: string): void {
    this.#open.get(approvalId)?.closing.abort('answered elsewhere')
  }

  async #answer(
    request: ApprovalRequest,
    store: ApprovalStore,
    { signal, relatedTo }: Omit<ShowTerms, 'equalUse'>,
  ): Promise<ApprovalAnswer | null> {
    try {
      const equalUse = await latestEqualUse(store, request, new Date())
      if (signal.aborted) return null
      const answer = await this.#parts.show(request, { signal, relatedTo, equalUse })
      if (answer === null || signal.aborted || typeof answer === 'boolean') return null
      const { approved, approverId = null, reason = null, binding = null } = answer
      const state = approved === true ? 'approved' : 'denied'
      await store.resolve(request.approvalId, { state, approverId, note: reason, binding }, new Date())
      return answer
    } catch {
      this.#parts.note('the client could not be asked, or its answer could not be stored')
      return null
    }
  }
}
