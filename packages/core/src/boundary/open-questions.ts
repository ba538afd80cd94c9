// What waits for a person is held in memory: the arguments, what was made of them, and the record in the store. Calls come from a model, so
// their number and size have a bound here, whatever the store would take.
import { encodeCanonical } from '@sudoagent/crypto'
import { OPEN_QUESTIONS_BYTES_MAX } from '../limits.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/** The open questions of one engine, counted in bytes of their parameters. */
export class OpenQuestions {
  #bytes = 0

  /**
   * Runs `ask` while the call's parameters are counted.
   *
   * @throws Refusal QUESTIONS_FULL, before anybody is asked; what `ask` throws
   */
  async while<T>({ parameters }: DecisionRequest, ask: () => Promise<T>): Promise<T> {
    const bytes = Buffer.byteLength(encodeCanonical(parameters))
    if (this.#bytes + bytes > OPEN_QUESTIONS_BYTES_MAX) {
      const reason = `the calls that wait for an approval hold ${this.#bytes} bytes of arguments, at most ${OPEN_QUESTIONS_BYTES_MAX} are held at once`
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
