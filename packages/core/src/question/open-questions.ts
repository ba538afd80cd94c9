// Limits the memory that calls use while they wait for an approval: the arguments, their redacted form, and the record
// in the store. Calls come from a model, so their number and size are limited here, regardless of the store's limits.
import { encodeCanonical } from '@sudoagent/crypto/json'
import type { DecisionRequest } from '../call/decision.js'
import { Refusal } from '../call/refusal.js'
import { OPEN_QUESTIONS_BYTES_MAX } from '../limits.js'

/** Counts the parameter bytes of the open approval requests of one engine. */
export class OpenQuestions {
  #bytes = 0

  /**
   * Runs `ask`. The call's parameters count until `ask` ends.
   *
   * @throws Refusal QUESTIONS_FULL before `ask` is called; any error from `ask`
   */
  async while<T>({ parameters }: DecisionRequest, ask: () => Promise<T>): Promise<T> {
    const bytes = Buffer.byteLength(encodeCanonical(parameters))
    if (this.#bytes + bytes > OPEN_QUESTIONS_BYTES_MAX) {
      const reason = `too many calls are waiting for approval: their arguments take ${this.#bytes} bytes, the limit is ${OPEN_QUESTIONS_BYTES_MAX}`
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
