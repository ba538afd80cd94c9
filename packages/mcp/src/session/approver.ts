/**
 * Requests approvals in two ways at once, and uses the first answer. A person can answer in a different terminal,
 * through the approval store. The user of the client can answer if the client supports elicitation and the deployment
 * allows it. The agent cannot reach the store through any method, tool or argument.
 */
import {
  type ApprovalAnswer,
  type ApprovalRequest,
  type ApprovalStore,
  ApprovalStoreError,
  type Approver,
  PollingApprover,
} from '@sudoagent/core'
import type { OpenCall } from '../call/open-call.js'
import { OPEN_APPROVALS_MAX, PICK_UP_MARGIN_MS } from '../limits.js'

/** The approver's view of a call. */
export interface PendingCall {
  readonly call: OpenCall
  /** Number of calls in the session that are waiting for approval, including this call. */
  readonly openApprovals: () => number
  /** Null if the client cannot be asked. */
  readonly elicit: ((request: ApprovalRequest, signal: AbortSignal) => Promise<ApprovalAnswer | null>) | null
  readonly note: (text: string) => void
}

export class FirstAnswerApprover implements Approver {
  readonly #calls = new Map<string, PendingCall>()
  readonly #store: Approver
  readonly #mayElicit: (request: ApprovalRequest) => boolean

  constructor(mayElicit: (request: ApprovalRequest) => boolean, store: Approver = new PollingApprover()) {
    this.#mayElicit = mayElicit
    this.#store = store
  }

  /** Registers a call before its decision. @returns a function that unregisters the call */
  expect(asked: PendingCall): () => void {
    this.#calls.set(asked.call.requestId, asked)
    return () => this.#calls.delete(asked.call.requestId)
  }

  async approve(
    request: ApprovalRequest,
    { signal, store }: { readonly signal: AbortSignal; readonly store: ApprovalStore },
  ): Promise<ApprovalAnswer> {
    const asked = this.#calls.get(request.approvalId)
    if (asked === undefined) throw new TypeError('an approval was requested for an unknown call')
    const { call } = asked
    call.markAsked()
    if (asked.openApprovals() > OPEN_APPROVALS_MAX) return { approved: false, reason: 'too many approvals are pending' }
    const answer = await this.#first(request, asked, signal, store)
    if (!isYes(answer)) return answer
    const patienceMs = request.expiresAt.getTime() - Date.now() - PICK_UP_MARGIN_MS
    if (await call.claim(Math.max(0, patienceMs), signal)) return answer
    // Not a denial: the call was approved.
    throw new ApprovalStoreError('APPROVAL_EXPIRED', 'approved, but the client did not repeat the call in time')
  }

  async #first(
    request: ApprovalRequest,
    { elicit, note }: PendingCall,
    signal: AbortSignal,
    store: ApprovalStore,
  ): Promise<ApprovalAnswer> {
    const done = new AbortController()
    const until = AbortSignal.any([signal, done.signal])
    try {
      const fromStore = Promise.resolve(this.#store.approve(request, { signal: until, store }))
      if (elicit === null || !this.#mayElicit(request)) return await fromStore
      // If the client does not answer, the store's answer is used.
      const fromClient = elicit(request, until).then((answer) => answer ?? fromStore)
      fromClient.catch(() => note('the client could not be asked'))
      return await Promise.race([fromClient, fromStore])
    } finally {
      done.abort('answered elsewhere')
    }
  }
}

const isYes = (answer: ApprovalAnswer): boolean => (typeof answer === 'object' ? answer.approved : answer) === true
