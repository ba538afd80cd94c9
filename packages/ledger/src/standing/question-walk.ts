// Follows the questions of a ledger during a walk, and compares each decision with the one that is open for it.
import type { Asked } from '@sudoagent/crypto/entry'
import { HASH_WORDS, isUuid, requestIdAt, uuidHex } from '../rules/call-key.js'
import type { AnsweredCall, Problem } from '../rules/line-facts.js'
import { QuestionBook } from './question-book.js'
import { answerProblem, askedProblem, expiryLimit, type OpenQuestion, openQuestion, stillOpen } from './questions.js'

/** The questions after an earlier run. */
export interface KnownQuestions {
  readonly questions: readonly OpenQuestion[]
  /** Number of questions that expired without a decision. */
  readonly questionsExpired: number
}

export class QuestionWalk {
  readonly #book: QuestionBook

  constructor(known: KnownQuestions | null) {
    this.#book = new QuestionBook(known?.questions, known?.questionsExpired)
  }

  /**
   * Applies a question.
   *
   * @param at.isDecided - whether an earlier entry decides a call with the request id. The question is kept then,
   *   because a run from a state, which does not have that entry, keeps it, too
   * @returns the rule that it breaks; null if there is none
   */
  asked(
    asked: Asked,
    position: number,
    at: { readonly recordedAt: string | null; readonly before: string | null; readonly isDecided: boolean },
  ): Problem | null {
    const problem = askedProblem(asked, this.#book, at)
    if (problem !== null) return { code: problem.code, message: problem.message }
    this.#book.add(openQuestion(asked, position))
    if (!at.isDecided) return null
    return { code: 'ASKED_DUPLICATE', message: `request \`${asked.request_id}\` already has a decision` }
  }

  /**
   * Applies a decision, which closes its question.
   *
   * @param before - the latest `recorded_at` before the decision
   * @returns the rule that the decision breaks; null if there is none
   */
  decided(call: AnsweredCall, before: string | null): Problem | null {
    if (this.#book.isEmpty && call.answer === null) return null
    const question = stillOpen(this.#book, call.requestId, before)
    if (question !== undefined) this.#book.close(call.requestId)
    return answerProblem(call, question)
  }

  /** The questions that are open after the last entry, and the number of those that expired. */
  end(last: string | null): { readonly open: readonly OpenQuestion[]; readonly expired: number } {
    return this.#book.open(expiryLimit(last))
  }

  /**
   * Whether one of these calls may have a question: one that is open, or one of those given.
   *
   * @param asked - request ids of further questions
   * @param starts - where the words of the calls begin (`CallKey`)
   */
  mayConcern(words: Uint32Array, starts: Iterable<number>, asked: readonly string[]): boolean {
    const ids = new Set([...this.#book.requestIds(), ...asked].filter(isUuid))
    if (ids.size === 0) return false
    // The first word is compared before an id is decoded.
    const firstWords = new Set([...ids].map(firstWordOf))
    for (const at of starts)
      if (firstWords.has(words[at + HASH_WORDS] as number) && ids.has(requestIdAt(words, at))) return true
    return false
  }
}

function firstWordOf(uuid: string): number {
  const word = new Uint32Array(1)
  Buffer.from(word.buffer).write(uuidHex(uuid).slice(0, 8), 'hex')
  return word[0] as number
}
