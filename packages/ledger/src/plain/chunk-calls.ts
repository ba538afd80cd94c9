// Compares the outcomes of a chunk with their decisions. If the decision is in an earlier chunk, the summary contains
// the outcome's description of the call.
import { type AllowedCall, allowedKey } from '../rules/allowed-call.js'
import { type DecidedCall, describesCall } from '../rules/described-call.js'
import type { CallFacts } from '../rules/line-facts.js'
import type { ChunkSummary } from './chunk-summary.js'

/** Tracks the calls in one chunk. */
export class ChunkCalls {
  /** The calls that were allowed in this chunk and have no outcome yet, by decision hash. */
  readonly #open = new Map<string, DecidedCall & { readonly line: number }>()
  readonly #closed: ChunkSummary['closed'][number][] = []
  readonly #approvals: ChunkSummary['approvals'][number][] = []
  /** By agent, action and authority. */
  readonly #allowed: Map<string, AllowedCall> | null

  /** @param listsAllowed - whether the summary lists the calls that are allowed */
  constructor(listsAllowed: boolean) {
    this.#allowed = listsAllowed ? new Map() : null
  }

  /** Adds the next line. @returns false if an outcome and its decision describe different calls */
  add(facts: CallFacts, line: number): boolean {
    const { decisionHash, createdAt, agentId } = facts
    if (facts.approval !== null) this.#approvals.push(facts.approval)
    if (facts.isDecision) {
      if (facts.isAllowed) this.#list(facts)
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

  #list({ agentId, action, authority }: CallFacts): void {
    if (this.#allowed === null) return
    const key = allowedKey({ agentId, action, authority })
    if (!this.#allowed.has(key)) this.#allowed.set(key, { agentId, action, authority })
  }

  summary(): Pick<ChunkSummary, 'opened' | 'closed' | 'approvals' | 'allowed'> {
    const opened = [...this.#open.values()].map(({ line, createdAt, agentId }) => ({ line, createdAt, agentId }))
    const allowed = this.#allowed === null ? null : [...this.#allowed.values()]
    return { opened, closed: this.#closed, approvals: this.#approvals, allowed }
  }
}
