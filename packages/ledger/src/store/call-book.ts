// The recorded calls, for a store whose one writer sees every entry. The calls are read from the lines when
// one of them is first asked for; the questions are kept from the start.

import { requestIdOf } from '../entry/control.js'
import { isCallEntry } from '../entry/entry.js'
import { parseLine } from '../entry/line.js'
import type { OpenQuestionFilter } from '../port/writer.js'
import { QuestionBook } from '../standing/question-book.js'
import type { OpenQuestion } from '../standing/questions.js'
import type { CommitPlan } from '../write/advance.js'
import { type CallRecords, NOT_RECORDED, type QuestionChanges, type RecordedCall } from '../write/call-records.js'

/** A line of a ledger. */
export interface PlacedLine {
  readonly position: number
  readonly line: Uint8Array
}

export class CallBook implements CallRecords {
  readonly #questions = new QuestionBook()
  readonly #lines: () => Iterable<PlacedLine>
  #calls: Map<string, RecordedCall> | null = null
  #othersUntil = 0

  /** @param lines - all lines of the ledger */
  constructor(lines: () => Iterable<PlacedLine>) {
    this.#lines = lines
  }

  get hasQuestions(): boolean {
    return !this.#questions.isEmpty
  }

  get othersUntil(): number {
    return this.#othersUntil
  }

  find(requestId: string): OpenQuestion | undefined {
    return this.#questions.find(requestId)
  }

  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number } {
    return this.#questions.count(agentId, expiredBefore)
  }

  /** The request ids of the questions without a decision, in the order of their entries. */
  openQuestions({ among, agentId }: OpenQuestionFilter): readonly string[] {
    return [...(among ?? this.#questions.requestIds())].filter((id) => {
      const question = this.#questions.find(id)
      return question !== undefined && (agentId ?? question.agentId) === question.agentId
    })
  }

  entriesOf(requestId: string): RecordedCall {
    return this.#known().get(requestId) ?? NOT_RECORDED
  }

  /** Applies what a recovered entry changes. */
  apply(changes: QuestionChanges): void {
    this.#questions.apply(changes)
  }

  /** Applies a durable step. */
  committed({ entries, questions, outcomeByIdAt }: CommitPlan): void {
    this.apply(questions)
    this.#othersUntil = outcomeByIdAt ?? this.#othersUntil
    if (this.#calls === null) return
    for (const { position, line } of entries) add(this.#calls, { position, line: Buffer.from(line) })
  }

  #known(): Map<string, RecordedCall> {
    if (this.#calls !== null) return this.#calls
    const calls = new Map<string, RecordedCall>()
    for (const line of this.#lines()) add(calls, line)
    this.#calls = calls
    return calls
  }
}

function add(calls: Map<string, RecordedCall>, { position, line }: PlacedLine): void {
  const parsed = parseLine(line)
  const requestId = parsed.ok ? requestIdOf(parsed.entry) : null
  if (!parsed.ok || requestId === null) return
  calls.set(requestId, withEntry(calls.get(requestId) ?? NOT_RECORDED, parsed.entry, position))
}

/** A call with one more entry; the first entry of each kind counts. */
export function withEntry(
  call: RecordedCall,
  entry: Parameters<typeof isCallEntry>[0],
  position: number,
): RecordedCall {
  if (!isCallEntry(entry)) return { ...call, asked: call.asked ?? position }
  if (entry.event === 'outcome') return { ...call, outcome: call.outcome ?? position }
  return { ...call, decision: call.decision ?? { position, effect: entry.decision.effect ?? null } }
}
