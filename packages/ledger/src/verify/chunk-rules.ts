// The rules that compare the calls of a chunk with the entries before it. If a call breaks one of them, the chunk is
// walked line by line, which reports the entry.
import { CALL_WORDS, type ChunkSummary, OUTCOME } from '../plain/chunk-summary.js'
import type { Lifecycle } from '../rules/lifecycle.js'
import type { QuestionWalk } from '../standing/question-walk.js'
import type { StopWalk } from '../standing/stop-walk.js'

/** The results of a walk over the entries before a chunk. */
export interface WalkedCalls {
  readonly lifecycle: Lifecycle
  readonly stops: StopWalk
  readonly questions: QuestionWalk
}

export function isAdmissible(chunk: ChunkSummary, { lifecycle, stops, questions }: WalkedCalls): boolean {
  return areAllowed(chunk, stops) && areAsDecided(chunk, lifecycle) && areAnswered(chunk, questions)
}

/** Whether no open stop covers a call that is allowed in the chunk. */
function areAllowed({ allowed }: ChunkSummary, stops: StopWalk): boolean {
  return !stops.isAnyOpen || allowed?.every((call) => stops.problemOf(call) === null) === true
}

/** Whether all outcomes describe the calls of their decisions in earlier chunks. */
function areAsDecided({ closed, calls }: ChunkSummary, lifecycle: Lifecycle): boolean {
  return closed.every((outcome) => lifecycle.describes(calls, outcome.line * CALL_WORDS + 1, outcome))
}

/** Whether every decision of the chunk that may have a question is listed as the answer to one. */
function areAnswered({ calls, lines, questions }: ChunkSummary, walked: QuestionWalk): boolean {
  const listed = new Set(questions.map(({ line }) => line))
  const starts = function* (): Generator<number> {
    for (let line = 0; line < lines; line += 1)
      if ((calls[line * CALL_WORDS] as number) < OUTCOME && !listed.has(line)) yield line * CALL_WORDS + 1
  }
  const asked = questions.flatMap((question) => question.asked?.request_id ?? [])
  return !walked.mayConcern(calls, starts(), asked)
}
