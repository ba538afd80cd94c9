// Marks approvals as used in the approval store. The decision in the ledger is the use of an approval, so the store
// only follows, and no call waits for it.

import { within } from '../call/deadline.js'
import type { DecisionRequest } from '../call/decision.js'
import type { Recorder } from '../call/recorder.js'
import type { EngineParts } from '../options.js'

export class UsedApprovals {
  readonly #parts: EngineParts
  readonly #recorder: Recorder
  readonly #pending = new Set<Promise<void>>()

  constructor(parts: EngineParts, recorder: Recorder) {
    this.#parts = parts
    this.#recorder = recorder
  }

  /**
   * Starts to mark the approval of a call as used. A failure is reported to the error hook: the approval is used in any
   * case, because the ledger does not take a second decision.
   */
  follow(call: DecisionRequest): void {
    const { requestId } = call.context
    const followed = this.#consume(call)
      .catch((error: unknown) => this.#recorder.fault({ stage: 'approval', requestId, error }))
      .finally(() => this.#pending.delete(followed))
    this.#pending.add(followed)
  }

  /** Resolves when no approval is still being marked. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }

  async #consume({ context: { requestId }, policy: { policyHash }, decisionHash }: DecisionRequest): Promise<void> {
    const { approvalStore: store, clock, timeoutMs } = this.#parts
    const binding = { requestId, policyHash, decisionHash }
    await within(timeoutMs, 'approval store', () => store.consume(requestId, binding, clock()))
  }
}
