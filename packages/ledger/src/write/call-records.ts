// The recorded entries of the calls of a step. A store reads them under its lock, so they are current for the entry
// that is appended next.
import type { RecordedEntry } from '../error.js'
import type { OpenQuestion, QuestionView } from '../standing/questions.js'

/** The positions of the entries of a call; null for those that the ledger does not have. */
export interface RecordedCall {
  readonly asked: number | null
  readonly decision: RecordedEntry | null
  readonly outcome: number | null
}

export const NOT_RECORDED: RecordedCall = { asked: null, decision: null, outcome: null }

export interface CallRecords extends QuestionView {
  /** Whether there may be a question without a decision. If not, no decision has one. */
  readonly hasQuestions: boolean
  /** The first entry of each kind. @param after - entries up to this position need not be found */
  entriesOf(requestId: string, after: number): RecordedCall
  /**
   * The last position at which another writer, or an outcome by request id, may have added an entry of a call of this
   * writer; 0 if there is none.
   */
  readonly othersUntil: number
}

/** The records of a ledger without questions and without another writer. */
export const NO_RECORDS: CallRecords = {
  hasQuestions: false,
  find: () => undefined,
  count: () => ({ ofLedger: 0, ofAgent: 0 }),
  entriesOf: () => NOT_RECORDED,
  othersUntil: 0,
}

/** The changes of the kept questions by a step. */
export interface QuestionChanges {
  readonly opened: readonly OpenQuestion[]
  /** Request ids of the questions that decisions close. */
  readonly closed: readonly string[]
  /** Questions with a deadline before this time have expired, and are dropped; null if none are to be looked for. */
  readonly expiredBefore: string | null
}

/** The changes by several steps together. */
export function mergeChanges(steps: readonly QuestionChanges[]): QuestionChanges {
  const opened = new Map<string, OpenQuestion>()
  const closed = new Set<string>()
  let expiredBefore: string | null = null
  for (const step of steps) {
    for (const id of step.closed) if (!opened.delete(id)) closed.add(id)
    for (const question of step.opened) opened.set(question.requestId, question)
    expiredBefore = step.expiredBefore ?? expiredBefore
  }
  return { opened: [...opened.values()], closed: [...closed], expiredBefore }
}

export const NO_CHANGES: QuestionChanges = { opened: [], closed: [], expiredBefore: null }
