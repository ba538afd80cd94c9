// The time for which a call waits for an approval.
import { WaitEnded } from '@sudoagent/core/boundary'

/** Maximum delay of a timer, in milliseconds: Node fires a timer with a longer delay immediately. */
const HOLD_MS_MAX = 2 ** 31 - 1

export class Hold {
  readonly #ms: number | undefined

  /** @param ms - undefined: no limit. @throws TypeError */
  constructor(ms: unknown) {
    if (ms !== undefined && !(Number.isInteger(ms) && Number(ms) >= 0 && Number(ms) <= HOLD_MS_MAX))
      throw new TypeError(`\`holdMs\` must be an integer number of milliseconds from 0 to ${HOLD_MS_MAX}`)
    this.#ms = ms as number | undefined
  }

  /** Calls `work` with a signal that aborts with `signal`, and with `WaitEnded` after the time. */
  async during<T>(signal: AbortSignal | undefined, work: (until: AbortSignal | undefined) => Promise<T>): Promise<T> {
    if (this.#ms === undefined) return await work(signal)
    const ending = new AbortController()
    const timer = setTimeout(() => ending.abort(new WaitEnded()), this.#ms)
    try {
      return await work(signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]))
    } finally {
      clearTimeout(timer)
    }
  }
}
