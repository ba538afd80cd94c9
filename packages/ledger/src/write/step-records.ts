// The recorded entries of the calls of a step, including the earlier drafts of the step.
import type { RecordedEntry } from '../error.js'
import type { OpenQuestion } from '../standing/questions.js'
import { isExpired } from '../standing/questions.js'
import { type CallRecords, NOT_RECORDED, type RecordedCall } from './call-records.js'

export class StepRecords implements CallRecords {
  readonly othersUntil: number
  readonly #stored: CallRecords
  readonly #opened = new Map<string, OpenQuestion>()
  readonly #closed = new Set<string>()
  readonly #calls = new Map<string, RecordedCall>()

  constructor(stored: CallRecords) {
    this.#stored = stored
    this.othersUntil = stored.othersUntil
  }

  get hasQuestions(): boolean {
    return this.#stored.hasQuestions || this.#opened.size > 0
  }

  /** The questions that the step opens and does not close. */
  get opened(): readonly OpenQuestion[] {
    return [...this.#opened.values()]
  }

  /** Request ids of the stored questions that the step closes. */
  get closed(): readonly string[] {
    return [...this.#closed]
  }

  find(requestId: string): OpenQuestion | undefined {
    return this.#opened.get(requestId) ?? (this.#closed.has(requestId) ? undefined : this.#stored.find(requestId))
  }

  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number } {
    const { ofLedger, ofAgent } = this.#stored.count(agentId, expiredBefore)
    const counts = (question: OpenQuestion | undefined): question is OpenQuestion =>
      question !== undefined && !isExpired(question, expiredBefore)
    const opened = this.opened.filter(counts)
    const closed = this.closed.map((id) => this.#stored.find(id)).filter(counts)
    const of = (list: readonly OpenQuestion[]): number => list.filter((question) => question.agentId === agentId).length
    return { ofLedger: ofLedger + opened.length - closed.length, ofAgent: ofAgent + of(opened) - of(closed) }
  }

  entriesOf(requestId: string, after: number): RecordedCall {
    const stored = this.#stored.entriesOf(requestId, after)
    const added = this.#calls.get(requestId) ?? NOT_RECORDED
    return {
      asked: stored.asked ?? added.asked,
      decision: stored.decision ?? added.decision,
      outcome: stored.outcome ?? added.outcome,
    }
  }

  open(question: OpenQuestion): void {
    this.#opened.set(question.requestId, question)
    this.#add(question.requestId, { asked: question.position })
  }

  close(requestId: string): void {
    if (!this.#opened.delete(requestId)) this.#closed.add(requestId)
  }

  decide(requestId: string, decision: RecordedEntry): void {
    this.#add(requestId, { decision })
  }

  end(requestId: string, outcome: number): void {
    this.#add(requestId, { outcome })
  }

  #add(requestId: string, added: Partial<RecordedCall>): void {
    this.#calls.set(requestId, { ...(this.#calls.get(requestId) ?? NOT_RECORDED), ...added })
  }
}
