// Implements timeouts for operations that may hang: a signer, a store, a remote server. Almost all operations finish
// quickly, and a separate timer would cost more than the operation itself. All operations with the same timeout
// therefore share one timer, which is set for the oldest operation and set again after it fires.

/**
 * A pending operation. All operations of a `Watch` have the same timeout, so they are due in the order in which
 * they started.
 */
interface Wait {
  readonly dueAt: number
  giveUp(): void
}

/**
 * Returns the result of `work`, or rejects after `ms` milliseconds. Later results and errors of `work` are
 * ignored. The timer keeps the process alive only while operations are pending.
 *
 * @param late - makes the rejection reason
 */
export function withTimeout<T>(work: PromiseLike<T>, ms: number, late: () => unknown): Promise<T> {
  let watch = watches.get(ms)
  if (watch === undefined) {
    watch = new Watch(ms)
    watches.set(ms, watch)
  }
  return watch.over(work, late)
}

/** The watches by timeout, in milliseconds. A watch is removed when its timer fires while nothing is pending. */
const watches = new Map<number, Watch>()

class Watch {
  readonly #ms: number
  readonly #waits = new Set<Wait>()
  #timer: NodeJS.Timeout | null = null

  constructor(ms: number) {
    this.#ms = ms
  }

  over<T>(work: PromiseLike<T>, late: () => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = { dueAt: performance.now() + this.#ms, giveUp: () => reject(late()) }
      this.#begin(wait)
      Promise.resolve(work).then(
        (value) => {
          this.#end(wait)
          resolve(value)
        },
        (error: unknown) => {
          this.#end(wait)
          reject(error)
        },
      )
    })
  }

  #begin(wait: Wait): void {
    this.#waits.add(wait)
    if (this.#timer === null) this.#set(this.#ms)
    else if (this.#waits.size === 1) this.#timer.ref()
  }

  #end(wait: Wait): void {
    this.#waits.delete(wait)
    if (this.#waits.size === 0) this.#timer?.unref()
  }

  #set(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.ceil(ms))
  }

  #look(): void {
    this.#timer = null
    const now = performance.now()
    for (const wait of this.#waits) {
      if (wait.dueAt > now) {
        this.#set(wait.dueAt - now)
        return
      }
      this.#waits.delete(wait)
      wait.giveUp()
    }
    watches.delete(this.#ms)
  }
}
