// The calls of a chunk: whether each outcome describes the call that was decided on. Where the decision is in an earlier chunk, what the outcome
// says is handed over.
import { type DecidedCall, describesCall } from '../rules/described-call.js'
import type { CallFacts } from '../rules/line-facts.js'
import type { ChunkSummary } from './chunk-summary.js'

/** Follows the calls of one chunk. */
export class ChunkCalls {
  /** Allowed so far and not ended, by decision hash. */
  readonly #open = new Map<string, DecidedCall & { readonly line: number }>()
  readonly #closed: ChunkSummary['closed'][number][] = []
  readonly #approvals: ChunkSummary['approvals'][number][] = []

  /** Takes the next line. @returns false when an outcome describes another call than its decision */
  add(facts: CallFacts, line: number): boolean {
    const { decisionHash, createdAt, agentId } = facts
    if (facts.approval !== null) this.#approvals.push(facts.approval)
    if (facts.isDecision) {
      if (facts.isAllowed && !this.#open.has(decisionHash))
        this.#open.set(decisionHash, { line, createdAt, agentId, text: facts })
      return true
    }
    const decided = this.#open.get(decisionHash)
    if (decided === undefined) {
      const { requestId, action, principal, source, policyHash, parameters } = facts
      this.#closed.push({ line, requestId, agentId, action, principal, source, policyHash, parameters })
      return true
    }
    this.#open.delete(decisionHash)
    return describesCall(facts, decided, decisionHash)
  }

  summary(): Pick<ChunkSummary, 'opened' | 'closed' | 'approvals'> {
    const opened = [...this.#open.values()].map(({ line, createdAt, agentId }) => ({ line, createdAt, agentId }))
    return { opened, closed: this.#closed, approvals: this.#approvals }
  }
}
