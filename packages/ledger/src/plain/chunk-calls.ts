// The calls of a part: whether each outcome describes the call that was decided on. Where the decision is in an earlier part, what the outcome says
// is handed over.
import type { PartFacts } from './chunk-summary.js'
import type { LineFacts } from './plain-line.js'

/** What is kept of a decision until its outcome comes. */
interface Decided {
  readonly line: number
  readonly createdAt: string
  readonly call: CallFacts
}

type CallFacts = Pick<
  LineFacts,
  'requestId' | 'agentId' | 'action' | 'principal' | 'source' | 'policyHash' | 'parameters'
>

/** Follows the calls of one part. */
export class PartCalls {
  /** Allowed so far and not ended, by decision hash. */
  readonly #open = new Map<string, Decided>()
  readonly #closed: PartFacts['closed'][number][] = []
  readonly #approvals: PartFacts['approvals'][number][] = []

  /** Takes the next line. @returns false when an outcome describes another call than its decision, which was hashed */
  add(facts: LineFacts, line: number): boolean {
    const { decisionHash, requestId, agentId, action, principal, source, policyHash, parameters } = facts
    const call = { requestId, agentId, action, principal, source, policyHash, parameters }
    if (facts.approval !== null) this.#approvals.push(facts.approval)
    if (facts.isDecision) {
      if (facts.isAllowed && !this.#open.has(decisionHash))
        this.#open.set(decisionHash, { line, createdAt: facts.createdAt, call })
      return true
    }
    const decided = this.#open.get(decisionHash)
    if (decided === undefined) {
      this.#closed.push({ line, requestId, agentId, action, actor: { principal, source }, policyHash, parameters })
      return true
    }
    this.#open.delete(decisionHash)
    return isSameCall(decided.call, call)
  }

  facts(): Pick<PartFacts, 'opened' | 'closed' | 'approvals'> {
    const opened = [...this.#open.values()].map(({ line, createdAt, call: { agentId } }) => ({
      line,
      createdAt,
      agentId,
    }))
    return { opened, closed: this.#closed, approvals: this.#approvals }
  }
}

const isSameCall = (a: CallFacts, b: CallFacts): boolean =>
  a.parameters === b.parameters &&
  a.action === b.action &&
  a.agentId === b.agentId &&
  a.principal === b.principal &&
  a.source === b.source &&
  a.policyHash === b.policyHash &&
  a.requestId === b.requestId
