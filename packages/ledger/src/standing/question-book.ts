// Keeps the questions of a ledger in memory: for the verifier, and for stores with a single writer.
import { QUESTIONS_MAX, QUESTIONS_OF_AGENT_MAX } from '../limits.js'
import { isExpired, type OpenQuestion, type QuestionView } from './questions.js'

export class QuestionBook implements QuestionView {
  readonly #questions = new Map<string, OpenQuestion>()
  readonly #ofAgent = new Map<string, number>()
  #expired: number

  /** @param expired - number of questions that expired before these */
  constructor(questions: Iterable<OpenQuestion> = [], expired = 0) {
    this.#expired = expired
    for (const question of questions) this.add(question)
  }

  get isEmpty(): boolean {
    return this.#questions.size === 0
  }

  get size(): number {
    return this.#questions.size
  }

  requestIds(): Iterable<string> {
    return this.#questions.keys()
  }

  find(requestId: string): OpenQuestion | undefined {
    return this.#questions.get(requestId)
  }

  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number } {
    // Expired questions count until one of the limits is reached, so that they need not be looked for each time.
    if (this.#questions.size >= QUESTIONS_MAX || this.#of(agentId) >= QUESTIONS_OF_AGENT_MAX)
      this.#dropExpired(expiredBefore)
    return { ofLedger: this.#questions.size, ofAgent: this.#of(agentId) }
  }

  add(question: OpenQuestion): void {
    // A question with the same id has expired: otherwise the new one is a duplicate.
    if (this.#questions.has(question.requestId)) this.#drop(question.requestId)
    this.#questions.set(question.requestId, question)
    this.#ofAgent.set(question.agentId, this.#of(question.agentId) + 1)
  }

  /** Applies what entries change. */
  apply({ opened, closed }: { readonly opened: readonly OpenQuestion[]; readonly closed: readonly string[] }): void {
    for (const requestId of closed) this.close(requestId)
    for (const question of opened) this.add(question)
  }

  /** Removes the question that a decision closes. */
  close(requestId: string): void {
    const question = this.#questions.get(requestId)
    if (question === undefined) return
    this.#questions.delete(requestId)
    const left = this.#of(question.agentId) - 1
    if (left === 0) this.#ofAgent.delete(question.agentId)
    else this.#ofAgent.set(question.agentId, left)
  }

  /** Removes the expired questions. @returns the others in the order of their entries, and how many have expired */
  open(expiredBefore: string): { readonly open: readonly OpenQuestion[]; readonly expired: number } {
    this.#dropExpired(expiredBefore)
    const open = [...this.#questions.values()].sort((a, b) => a.position - b.position)
    return { open, expired: this.#expired }
  }

  #of(agentId: string): number {
    return this.#ofAgent.get(agentId) ?? 0
  }

  #dropExpired(expiredBefore: string): void {
    for (const question of this.#questions.values())
      if (isExpired(question, expiredBefore)) this.#drop(question.requestId)
  }

  #drop(requestId: string): void {
    this.close(requestId)
    this.#expired += 1
  }
}
