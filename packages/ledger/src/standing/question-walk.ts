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
  /** The first words of the request ids in the book, and of some that are closed: compared before an id is decoded. */
  readonly #firstWords = new Set<number>()

  constructor(known: KnownQuestions | null) {
    this.#book = new QuestionBook([], known?.questionsExpired)
    for (const question of known?.questions ?? []) this.#keep(question)
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
    this.#keep(openQuestion(asked, position))
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
    if (this.#book.isEmpty && asked.length === 0) return false
    const given = new Set(asked)
    const givenWords = new Set(asked.map(firstWordOf))
    for (const at of starts) {
      const word = words[at + HASH_WORDS] as number
      if (!this.#firstWords.has(word) && !givenWords.has(word)) continue
      const requestId = requestIdAt(words, at)
      if (given.has(requestId) || this.#book.find(requestId) !== undefined) return true
    }
    return false
  }

  #keep(question: OpenQuestion): void {
    this.#book.add(question)
    // Words of closed questions stay until there are many of them.
    if (this.#firstWords.size >= 2 * this.#book.size + WORDS_MIN) this.#firstWords.clear()
    const ids = this.#firstWords.size === 0 ? this.#book.requestIds() : [question.requestId]
    for (const requestId of ids) this.#firstWords.add(firstWordOf(requestId))
  }
}

/** Minimum number of words before those of closed questions are dropped. */
const WORDS_MIN = 1_024

/** The first word of the key of a call (`CallKey`); NaN, which equals no word, for an id that is not a UUID. */
function firstWordOf(requestId: string): number {
  if (!isUuid(requestId)) return Number.NaN
  const word = new Uint32Array(1)
  Buffer.from(word.buffer).write(uuidHex(requestId).slice(0, 8), 'hex')
  return word[0] as number
}
