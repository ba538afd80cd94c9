// Limits the memory of calls that wait for an approval: their arguments, the redacted form, and the record in the
// store. Calls come from a model, so their number and size are limited here, regardless of the store's limits.
import { encodeCanonical } from '@sudoagent/crypto/json'
import { OPEN_QUESTIONS_BYTES_MAX } from '../limits.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/** The open approval requests of one engine, counted in bytes of their parameters. */
export class OpenQuestions {
  #bytes = 0

  /**
   * Runs `ask` while the call's parameters are counted.
   *
   * @throws Refusal QUESTIONS_FULL before `ask` is called; errors of `ask`
   */
  async while<T>({ parameters }: DecisionRequest, ask: () => Promise<T>): Promise<T> {
    const bytes = Buffer.byteLength(encodeCanonical(parameters))
    if (this.#bytes + bytes > OPEN_QUESTIONS_BYTES_MAX) {
      const reason = `the arguments of calls that wait for an approval take ${this.#bytes} bytes, at most ${OPEN_QUESTIONS_BYTES_MAX} are allowed`
      throw new Refusal({ code: 'QUESTIONS_FULL', reason })
    }
    this.#bytes += bytes
    try {
      return await ask()
    } finally {
      this.#bytes -= bytes
    }
  }
}
